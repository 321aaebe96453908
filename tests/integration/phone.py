"""A phone that a test can make misbehave: raw datagrams, digest authentication, nothing remembered but what is asked."""
import hashlib
import itertools
import re
import socket

T1_S = 0.5
ATTEMPTS = 5
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_numbers = itertools.count(1)


def digest(algorithm, text):
    return hashlib.new(HASHES[algorithm], text.encode()).hexdigest()


class Reply:
    def __init__(self, data):
        self.text = data.decode("utf-8", "replace")
        head = self.text.split("\r\n\r\n")[0].split("\r\n")
        self.status = int(head[0].split(" ")[1])
        self.reason = head[0].split(" ", 2)[2]
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head[1:]]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def contacts(self):
        """One a binding, whether they came as a list or as a header each."""
        joined = ",".join(self.all("Contact"))
        return re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^",<])+', joined)

    def get(self, name):
        found = self.all(name)
        return found[0] if found else ""


class Challenge:
    def __init__(self, reply):
        name = "Proxy-Authenticate" if reply.status == 407 else "WWW-Authenticate"
        self.answer_name = "Proxy-Authorization" if reply.status == 407 else "Authorization"
        self.texts = reply.all(name)
        self.values = {key.lower(): quoted or plain for key, quoted, plain
                       in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', self.texts[0])}
        self.nonce_count = 0

    @property
    def algorithm(self):
        return self.values.get("algorithm", "MD5")

    def credentials(self, user, password, method, uri, *, qop=True, nc=None, username=None):
        """The header's value; each use counts up, as a phone does, unless nc says otherwise."""
        self.nonce_count += 1
        count = f"{nc or self.nonce_count:08x}"
        realm, nonce = self.values["realm"], self.values["nonce"]
        ha1 = digest(self.algorithm, f"{username or user}:{realm}:{password}")
        ha2 = digest(self.algorithm, f"{method}:{uri}")
        middle = f"{nonce}:{count}:0a4f113b:auth" if qop else nonce
        value = (f'Digest username="{username or user}",realm="{realm}",nonce="{nonce}",uri="{uri}",'
                 f'response="{digest(self.algorithm, f"{ha1}:{middle}:{ha2}")}",algorithm={self.algorithm}')
        if qop:
            value += f',cnonce="0a4f113b",qop=auth,nc={count}'
        if "opaque" in self.values:
            value += f',opaque="{self.values["opaque"]}"'
        return value


class Phone:
    def __init__(self, host, port, user="100", password=None, domain="example.com", own_port=0):
        self.user, self.password, self.domain = user, password or user, domain
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        if own_port:
            self.socket.bind((host, own_port))
        self.socket.connect((host, port))
        self.socket.settimeout(T1_S)
        own = self.socket.getsockname()
        self.here = f"[{own[0]}]:{own[1]}" if ":" in own[0] else f"{own[0]}:{own[1]}"
        self.call_id = f"{next(_numbers)}-{own[1]}@phone"
        self.cseq = 0
        self.contact = f"<sip:{user}@{self.here}>"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def request(self, method="REGISTER", uri=None, *, extra=(), without=(), replace=(), version="SIP/2.0"):
        """Text of a request that is right but for what is asked: headers left out, replaced or added."""
        self.cseq += 1
        headers = {
            "Via": f"SIP/2.0/UDP {self.here};branch=z9hG4bK{next(_numbers)}p{self.here.rsplit(':', 1)[1]};rport",
            "Max-Forwards": "70",
            "From": f"<sip:{self.user}@{self.domain}>;tag=t{self.call_id.split('@')[0]}",
            "To": f"<sip:{self.user}@{self.domain}>",
            "Call-ID": self.call_id,
            "CSeq": f"{self.cseq} {method}",
        }
        headers.update(dict(replace))
        lines = [f"{method} {uri or 'sip:' + self.domain} {version}"]
        lines += [f"{key}: {value}" for key, value in headers.items() if key not in without]
        lines += [f"{key}: {value}" for key, value in extra]
        return "\r\n".join(lines + ["Content-Length: 0", "", ""])

    def send(self, text):
        self.socket.send(text.encode() if isinstance(text, str) else text)

    def exchange(self, text):
        """The final response; sends again as a phone does when none comes."""
        for _ in range(ATTEMPTS):
            self.send(text)
            try:
                return Reply(self.socket.recv(65536))
            except (socket.timeout, ConnectionRefusedError):
                continue
        raise TimeoutError("no answer to: " + str(text)[:400])

    def challenge(self):
        return Challenge(self.exchange(self.request()))

    def authorised(self, *, extra=(), challenge=None, uri=None, qop=True, nc=None, username=None, password=None,
                   replace=()):
        challenge = challenge or self.challenge()
        uri = uri or "sip:" + self.domain
        value = challenge.credentials(self.user, password or self.password, "REGISTER", uri, qop=qop, nc=nc,
                                      username=username)
        return self.exchange(self.request(uri=uri, extra=[(challenge.answer_name, value), *extra], replace=replace))

    def register(self, expires=3600, contact=None, **more):
        return self.authorised(extra=[("Contact", contact or self.contact), ("Expires", str(expires))], **more)

    def query(self, **more):
        return self.authorised(**more)
