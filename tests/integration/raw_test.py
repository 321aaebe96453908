#!/usr/bin/env python3
"""What ringweir answers to requests that a well-behaved client would not send. Usage: raw_test.py RINGWEIR [NAME...]"""
import socket
import sys
import time
import traceback

from edge import DEADLINE_S, Edge
from phone import Challenge, Phone

CASES = []


def case(**settings):
    """A behaviour, named by the function, and the configuration it needs an edge with."""
    def add(function):
        CASES.append((function.__name__.replace("_", " "), function, settings))
        return function
    return add


def equal(found, wanted):
    assert found == wanted, f"found {found!r}, wanted {wanted!r}"


def has(text, *parts):
    for part in parts:
        assert part.lower() in text.lower(), f"no {part!r} in {text!r}"


def phone(edge, user="100", **more):
    return Phone(edge.host, edge.port, user, domain=edge.domain, **more)


@case()
def a_challenge_has_realm_nonce_algorithm_and_qop(edge):
    with phone(edge) as one:
        reply = one.exchange(one.request())
        equal(reply.status, 401)
        challenge = Challenge(reply)
        equal(challenge.values["realm"], "example.com")
        equal(challenge.algorithm, "MD5")
        has(challenge.values["qop"], "auth")
        assert len(challenge.values["nonce"]) >= 16
        has(reply.get("Via"), "rport=" + one.here.rsplit(":", 1)[1], "received=127.0.0.1")
        has(reply.get("To"), ";tag=")
        equal(reply.get("Call-ID"), one.call_id)


@case()
def a_registration_lists_its_contact_with_every_parameter(edge):
    with phone(edge) as one:
        contact = f"<sip:100@{one.here};ob;x=1>;q=0.7;+sip.instance=\"<urn:uuid:1>\";reg-id=1"
        reply = one.register(expires=600, contact=contact)
        equal(reply.status, 200)
        has(reply.get("Contact"), f"<sip:100@{one.here};ob;x=1>", "q=0.7", '+sip.instance="<urn:uuid:1>"', "expires=")


@case()
def a_query_lists_what_is_registered(edge):
    with phone(edge) as one:
        equal(one.query().contacts(), [])
        equal(one.register().status, 200)
        equal(len(one.query().contacts()), 1)


@case()
def removing_one_contact_keeps_the_other(edge):
    with phone(edge) as one:
        equal(one.register(contact="<sip:a@127.0.0.1:7001>").status, 200)
        both = one.register(contact="<sip:b@127.0.0.1:7002>")
        equal(len(both.contacts()), 2)
        left = one.register(contact="<sip:a@127.0.0.1:7001>", expires=0)
        equal(len(left.contacts()), 1)
        has(left.get("Contact"), "sip:b@127.0.0.1:7002")


@case()
def a_wildcard_removes_everything(edge):
    with phone(edge) as one:
        one.register(contact="<sip:a@127.0.0.1:7001>")
        one.register(contact="<sip:b@127.0.0.1:7002>")
        reply = one.register(contact="*", expires=0)
        equal((reply.status, reply.contacts()), (200, []))
        equal(one.query().contacts(), [])


@case()
def a_wildcard_without_expires_zero_is_refused(edge):
    with phone(edge) as one:
        equal(one.register().status, 200)
        equal(one.register(contact="*", expires=60).status, 400)
        equal(len(one.query().contacts()), 1)


@case()
def too_short_an_expiry_gets_423_with_the_minimum(edge):
    with phone(edge) as one:
        reply = one.register(expires=10)
        equal((reply.status, reply.get("Min-Expires")), (423, "60"))


@case()
def too_long_an_expiry_is_shortened(edge):
    with phone(edge) as one:
        reply = one.register(expires=86400)
        equal(reply.status, 200)
        has(reply.get("Contact"), "expires=7200")


@case()
def more_contacts_than_allowed_are_refused_whole(edge):
    with phone(edge) as one:
        many = ",".join(f"<sip:c{i}@127.0.0.1:70{i:02}>" for i in range(5))
        equal(one.register(contact=many).status, 403)
        equal(one.query().contacts(), [])


@case()
def an_older_cseq_of_the_same_call_changes_nothing(edge):
    with phone(edge) as one:
        one.cseq = 50
        equal(one.register(contact="<sip:a@127.0.0.1:7001>").status, 200)
        one.cseq = 10
        reply = one.register(contact="<sip:a@127.0.0.1:7001>", expires=0)
        assert reply.status >= 400, reply.text
        one.cseq = 100
        equal(len(one.query().contacts()), 1)


@case()
def a_foreign_domain_gets_404(edge):
    with phone(edge) as one:
        equal(one.exchange(one.request(uri="sip:elsewhere.example.net")).status in (403, 404), True)
        reply = one.authorised(replace=[("To", "<sip:100@elsewhere.example.net>")])
        equal(reply.status, 404)


@case()
def another_users_address_of_record_gets_403(edge):
    with phone(edge) as one:
        reply = one.register(replace=[("To", "<sip:101@example.com>")])
        equal(reply.status, 403)
    with phone(edge, "101") as other:
        equal(other.query().contacts(), [])


@case()
def a_wrong_password_and_an_unknown_user_look_the_same(edge):
    with phone(edge) as wrong, phone(edge, "999") as unknown:
        first = wrong.register(password="not-it")
        second = unknown.register()
        equal((first.status, second.status), (401, 401))
        shape = [sorted(name for name, _ in reply.headers) for reply in (first, second)]
        equal(shape[0], shape[1])
        for reply in (first, second):
            assert "stale=true" not in reply.text.lower(), reply.text


@case()
def a_replayed_request_is_refused(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        equal(one.register(challenge=challenge, nc=1).status, 200)
        replayed = one.register(challenge=challenge, nc=1)
        equal(replayed.status, 401)
        equal(one.register(challenge=challenge, nc=2).status, 200)


@case()
def a_retransmission_gets_the_same_answer(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        value = challenge.credentials("100", "100", "REGISTER", "sip:example.com")
        text = one.request(extra=[(challenge.answer_name, value), ("Contact", one.contact), ("Expires", "600")])
        first, second = one.exchange(text), one.exchange(text)
        equal((first.status, second.status), (200, 200))
        equal(len(second.contacts()), 1)


@case(check_uri="true")
def credentials_for_another_uri_are_refused(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        value = challenge.credentials("100", "100", "REGISTER", "sip:other.example.com")
        reply = one.exchange(one.request(extra=[(challenge.answer_name, value), ("Contact", one.contact)]))
        assert reply.status in (400, 401), reply.text


@case()
def credentials_for_another_uri_are_taken_where_nobody_asked_for_the_check(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        value = challenge.credentials("100", "100", "REGISTER", "sip:127.0.0.1:5060")
        equal(one.exchange(one.request(extra=[(challenge.answer_name, value), ("Contact", one.contact)])).status, 200)


@case()
def a_nonce_of_somebody_else_is_not_accepted(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        nonce = challenge.values["nonce"]
        challenge.values["nonce"] = ("0" if nonce[0] != "0" else "1") + nonce[1:]
        equal(one.register(challenge=challenge).status, 401)


@case(lifetime="1s")
def an_old_nonce_is_stale_and_the_new_one_works(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        deadline = time.monotonic() + DEADLINE_S
        reply = one.query(challenge=challenge)
        while reply.status == 200 and time.monotonic() < deadline:
            reply = one.query(challenge=challenge)
        equal(reply.status, 401)
        fresh = Challenge(reply)
        equal(fresh.values.get("stale", "").lower(), "true")
        equal(one.register(challenge=fresh).status, 200)


@case(algorithms="SHA-256, MD5")
def sha_256_is_offered_first_and_accepted(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        equal(len(challenge.texts), 2)
        equal(challenge.algorithm, "SHA-256")
        has(challenge.texts[1], "MD5")
        equal(one.register(challenge=challenge).status, 200)


@case(algorithms="SHA-512-256")
def sha_512_256_is_accepted(edge):
    with phone(edge) as one:
        equal(one.register().status, 200)


@case()
def a_missing_header_gets_400_naming_it(edge):
    for name in ("From", "To", "Call-ID", "CSeq"):
        with phone(edge) as one:
            text = one.request(without=(name,))
            if name == "Call-ID":  # silence or 400: without a Call-ID there is no owner to ask
                one.send(text)
                continue
            reply = one.exchange(text)
            equal(reply.status, 400)
            has(reply.reason, name)


@case()
def a_malformed_header_gets_400_naming_it(edge):
    bad = {"CSeq": "x REGISTER", "To": "<sip:100@example.com", "From": '"100 <sip:100@example.com>;tag=1'}
    for name, value in bad.items():
        with phone(edge) as one:
            reply = one.exchange(one.request(replace=[(name, value)]))
            equal(reply.status, 400)
            has(reply.reason, name)


@case()
def a_cseq_of_another_method_gets_400(edge):
    with phone(edge) as one:
        equal(one.exchange(one.request(replace=[("CSeq", "1 INVITE")])).status, 400)


@case()
def a_doubled_single_header_gets_400(edge):
    with phone(edge) as one:
        equal(one.exchange(one.request(extra=[("Call-ID", "another@phone")])).status, 400)


@case()
def more_content_than_there_is_gets_400(edge):
    with phone(edge) as one:
        text = one.request(extra=[("Contact", one.contact)]).replace("Content-Length: 0", "Content-Length: 99")
        equal(one.exchange(text).status, 400)


@case()
def an_unknown_method_to_the_edge_gets_405_with_allow(edge):
    with phone(edge) as one:
        reply = one.exchange(one.request("PUBLISH", uri=f"sip:127.0.0.1:{edge.port}"))
        equal(reply.status, 405)
        has(reply.get("Allow"), "REGISTER", "OPTIONS")


@case()
def an_unknown_uri_scheme_gets_416(edge):
    with phone(edge) as one:
        equal(one.exchange(one.request(uri="mailto:100@example.com")).status, 416)


@case()
def an_unknown_requirement_gets_420_naming_it(edge):
    with phone(edge) as one:
        reply = one.exchange(one.request(extra=[("Require", "warp-drive")]))
        equal((reply.status, reply.get("Unsupported")), (420, "warp-drive"))


@case()
def another_version_gets_505(edge):
    with phone(edge) as one:
        equal(one.exchange(one.request(version="SIP/3.0")).status, 505)


@case(limits="limits: { max_message: 2KiB }\n")
def a_message_over_the_limit_gets_513(edge):
    with phone(edge) as one:
        reply = one.exchange(one.request(extra=[("Subject", "x" * 4096)]))
        equal(reply.status, 513)


@case()
def options_to_the_edge_tells_what_it_can(edge):
    with phone(edge) as one:
        reply = one.exchange(one.request("OPTIONS", uri=f"sip:127.0.0.1:{edge.port}"))
        equal(reply.status, 200)
        for name in ("Allow", "Accept", "Supported"):
            assert reply.all(name), f"no {name} in {reply.text}"


@case()
def a_user_who_is_not_online_gets_404(edge):
    with phone(edge) as one:
        equal(one.exchange(one.request("OPTIONS", uri="sip:102@example.com")).status, 404)


@case()
def a_call_to_a_foreign_domain_gets_403(edge):
    with phone(edge) as one:
        equal(one.exchange(one.request("OPTIONS", uri="sip:1@elsewhere.example.net")).status, 403)


@case()
def a_crlf_keep_alive_is_answered(edge):
    with phone(edge) as one:
        one.socket.settimeout(DEADLINE_S)
        one.send(b"\r\n\r\n")
        equal(one.socket.recv(64), b"\r\n")


@case()
def rubbish_is_met_with_silence_and_the_edge_lives(edge):
    with phone(edge) as one:
        for rubbish in (b"\0" * 64, b"GET / HTTP/1.1\r\n\r\n", b"REGISTER", b"SIP/2.0 200 OK\r\n\r\n", b"\xff" * 1400,
                        b"REGISTER sip:example.com SIP/2.0\r\n" + b"X: y\r\n" * 5000 + b"\r\n"):
            one.send(rubbish)
        one.socket.settimeout(0.5)
        replies = []
        while True:
            try:
                replies.append(one.socket.recv(65536))
            except socket.timeout:
                break
        for reply in replies:  # a 400 where the Via could be read, never anything that looks like acceptance
            assert reply.startswith(b"SIP/2.0 4") or reply.startswith(b"SIP/2.0 5"), reply
        one.socket.settimeout(0.5)
        equal(one.register().status, 200)


@case()
def compact_and_folded_headers_are_understood(edge):
    with phone(edge) as one:
        challenge = one.challenge()
        value = challenge.credentials("100", "100", "REGISTER", "sip:example.com")
        text = one.request(extra=[(challenge.answer_name, value.replace(",nonce", ",\r\n nonce")), ("m", one.contact)])
        for long, compact in (("Via", "v"), ("From", "f"), ("To", "t"), ("Call-ID", "i"), ("Content-Length", "l")):
            text = text.replace(f"\r\n{long}: ", f"\r\n{compact}: ")
        reply = one.exchange(text)
        equal(reply.status, 200)
        has(reply.get("Contact"), one.contact)


@case(host="::1")
def an_ipv6_listener_registers(edge):
    with phone(edge) as one:
        reply = one.register()
        equal(reply.status, 200)
        has(reply.get("Contact"), one.contact)


@case(io="epoll")
def the_epoll_driver_registers(edge):
    with phone(edge) as one:
        equal(one.register().status, 200)


@case(challenge="proxy", domain="192.168.1.132", realm="myvoipapp.com")
def a_407_challenge_answered_without_qop_registers(edge):
    """The flow of the X-Lite capture of 2011: 407, credentials in the RFC 2069 form, 200."""
    with phone(edge, "101") as one:
        first = one.exchange(one.request())
        equal(first.status, 407)
        challenge = Challenge(first)
        equal((challenge.values["realm"], challenge.algorithm), ("myvoipapp.com", "MD5"))
        contact = "<sip:101@192.168.1.114:16938;rinstance=82948d058fa12715>"
        reply = one.register(challenge=challenge, qop=False, contact=contact)
        equal(reply.status, 200)
        has(reply.get("Contact"), "sip:101@192.168.1.114:16938;rinstance=82948d058fa12715")


@case()
def it_stops_cleanly_on_sigterm(edge):
    edge.__exit__()
    equal(edge.stopped_with, 0)


def run(binary, name, function, settings):
    """One edge for each behaviour: they must not need each other."""
    try:
        edge = Edge(binary, **settings).__enter__()
        try:
            function(edge)
        finally:
            edge.__exit__()
        print(f"ok - {name}", flush=True)
        return True
    except Exception:  # whatever went wrong, the behaviour does not hold
        print(f"not ok - {name}")
        print("".join(f"#   {line}\n" for line in traceback.format_exc().splitlines()[-6:]), end="", flush=True)
        return False


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    wanted = sys.argv[2:]
    chosen = [entry for entry in CASES if not wanted or any(part in entry[0] for part in wanted)]
    results = [run(sys.argv[1], *entry) for entry in chosen]
    print(f"# {sum(results)} of {len(results)} behaviours hold")
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
