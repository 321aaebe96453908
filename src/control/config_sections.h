// One function a section of the file: it asks `root` for its key and fills its part of the configuration.
#pragma once
#include "control/config_reader.h"

namespace ringweir::control {

void read_node(Section& root, Node& node);
void read_listeners(Section& root, std::vector<Listener>& listeners, bool lab);
void read_domains(Section& root, std::vector<std::string>& domains);
// After the domains: the realm's default is the first.
void read_auth(Section& root, Config& config);
void read_registrar(Section& root, Registrar& registrar);
// After the listeners, which say what families of addresses can be reached.
void read_upstreams(Section& root, Config& config);
// After the upstreams, which routes name.
void read_routes(Section& root, Config& config);
void read_proxy(Section& root, Proxy& proxy);
void read_dns(Section& root, Dns& dns);
void read_limits(Section& root, Limits& limits);
void read_trace(Section& root, Trace& trace);
void read_admin(Section& root, Admin& admin, bool lab);
void read_keys(Section& root, Keys& keys);

// A DNS name in lower case or an address; reports what is neither.
std::optional<std::string> read_host(Reader& reader, const YamlNode& node, std::string_view what);
// Known methods, or tokens of methods that are not known, but none that is nearly a known one.
std::optional<std::string> read_method(Reader& reader, const YamlNode& node, std::string_view what);
std::optional<std::uint16_t> read_status(Reader& reader, const YamlNode& node, std::string_view what,
                                         std::uint16_t min);

}  // namespace ringweir::control
