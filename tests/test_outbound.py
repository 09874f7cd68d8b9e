"""Tests of collector/outbound.py: what may be called, and that nothing else is."""

import datetime
import ssl
import threading
import time

import pytest
from django.core.exceptions import ImproperlyConfigured

from collector.addresses import is_public
from collector.environment import read_keys, read_origins
from collector.outbound import MAX_BODY, Channel, Refused, Target, Unreachable, parse_url, resolve
from tests.answering import serve

HOST = "models.example.org"
PUBLIC = "93.184.216.34"
__all__ = ["serve"]  # a fixture

REFUSED = [
    # other schemes
    ("", "https"),
    ("models.example.org/v1", "https"),
    ("http://models.example.org", "https"),
    ("http://models.example.org:443", "https"),
    ("HTTPS://models.example.org", "https"),
    ("ftp://models.example.org", "https"),
    ("file:///etc/passwd", "https"),
    ("gopher://models.example.org", "https"),
    ("//models.example.org", "https"),
    ("https:/models.example.org", "https"),
    # addresses in place of a name, in every way of writing them
    ("https://127.0.0.1", "host"),
    ("https://2130706433", "host"),
    ("https://0x7f000001", "host"),
    ("https://0x7f.0.0.1", "host"),
    ("https://0177.0.0.1", "host"),
    ("https://017700000001", "host"),
    ("https://127.1", "host"),
    ("https://0", "host"),
    ("https://10.0.0.5", "host"),
    ("https://169.254.169.254", "host"),
    ("https://93.184.216.34", "host"),
    ("https://[::1]", "host"),
    ("https://[::ffff:127.0.0.1]", "host"),
    ("https://[::ffff:7f00:1]", "host"),
    ("https://[fe80::1%25eth0]", "host"),
    # a name that hides another
    ("https://models.example.org@127.0.0.1", "user name"),
    ("https://user:secret@models.example.org", "user name"),
    ("https://127.0.0.1:443@models.example.org", "user name"),
    ("https://models.example.org\\@127.0.0.1", "plain characters"),
    ("https://127.0.0.1\\.models.example.org", "plain characters"),
    ("https://models.example.org#@127.0.0.1", "no #"),
    ("https://models.example.org?@127.0.0.1", "no ?"),
    ("https://models.example.org%00.evil.example", "host"),
    ("https://models.example.org%2eevil.example", "host"),
    ("https://models.example.org\t.evil.example", "plain characters"),
    ("https://models.example.org\r\nHost: evil.example", "plain characters"),
    (" https://models.example.org", "https"),
    ("https://models.example.org ", "plain characters"),
    # names that are nearly the allowed one
    ("https://models.example.org.", "host"),
    ("https://.models.example.org", "host"),
    ("https://models..example.org", "host"),
    ("https://models.example.org.evil.example", "not allowed"),
    ("https://evil.models.example.org", "not allowed"),
    ("https://example.org", "not allowed"),
    ("https://localhost", "host"),
    ("https://metadata.google.internal", "not allowed"),
    ("https://127.0.0.1.nip.example", "not allowed"),
    # letters beyond ASCII, which look alike or are mapped to it
    ("https://mоdels.example.org", "plain characters"),
    ("https://ｍodels.example.org", "plain characters"),
    ("https://models。example.org", "plain characters"),
    ("https://①②⑦.⓪.⓪.①", "plain characters"),
    ("https://xn--mdels-jye.example.org", "not allowed"),
    # ports and paths
    ("https://models.example.org:8443", "port 443"),
    ("https://models.example.org:22", "port 443"),
    ("https://models.example.org:", "port 443"),
    ("https://models.example.org:443:443", "port 443"),
    ("https://models.example.org:0443", "port 443"),
    ("https://models.example.org/../admin", "path"),
    ("https://models.example.org/%2e%2e/admin", "path"),
    ("https://models.example.org//127.0.0.1/", "path"),
    ("https://models.example.org/?x=1", "no ?"),
    ("https://models.example.org/" + "a" * 1000, "short"),
    # near the loopback address that the operator spelled out
    ("http://127.0.0.1:8081", "host"),
    ("http://127.0.0.2:8080", "host"),
    ("https://127.0.0.1:8080", "host"),
    ("http://127.0.0.1:08080", "host"),
    ("http://localhost:8080", "host"),
    ("http://2130706433:8080", "host"),
    ("http://[::1]:8080", "host"),
    ("http://127.0.0.1:8080@models.example.org", "user name"),
    # near the private address that the operator spelled out
    ("http://10.0.0.5", "host"),
    ("http://10.0.0.5:8001", "host"),
    ("http://10.0.0.6:8000", "host"),
    ("https://10.0.0.5:8000", "host"),
    ("http://10.0.0.5:8000:8000", "host"),
    ("http://10.5:8000", "host"),
    ("http://010.0.0.5:8000", "host"),
    ("http://167772165:8000", "host"),
    ("http://[::ffff:10.0.0.5]:8000", "host"),
    ("http://[fd00::0:5]:8000", "host"),
    ("http://10.0.0.5:8000/../admin", "path"),
    # where clouds keep secrets, even if a setting names them
    ("http://169.254.169.254:80/latest", "host"),
    ("http://169.254.169.254/latest", "host"),
    ("http://[fd00:ec2::254]:80", "host"),
    ("http://100.100.100.200:80", "host"),
]
NOT_PUBLIC = [
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.5", "::ffff:0:127.0.0.1", "::127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:5::1"),
    *("2001:0:4136:e378:8000:63bf:80ff:fffe", "fec0::1", "2130706433", "no address"),
    *("168.63.129.16", "::ffff:168.63.129.16", "100.100.100.200", "192.0.0.192", "fd20:ce::254"),
]


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.PROVIDER_HOSTS = [
        *(f"https://{HOST}:443", "http://127.0.0.1:8080", "http://10.0.0.5:8000", "http://[fd00::5]:8000"),
        # No setting can hold these: `read_origins` refuses them.
        *("http://169.254.169.254:80", "http://[fd00:ec2::254]:80", "http://100.100.100.200:80"),
    ]


def post(server, seconds=5, **fields):
    target = resolve(parse_url(f"http://127.0.0.1:{server.server_port}"))
    with Channel(target) as channel:
        return channel.post("/v1", b"{}", {}, seconds=seconds)


@pytest.mark.parametrize(("url", "rule"), REFUSED)
def test_an_address_that_breaks_a_rule_is_refused_by_that_rule(url, rule):
    words = {"not allowed": "has not allowed", "host": "must name a host"}.get(rule, rule)

    with pytest.raises(Refused) as caught:
        parse_url(url)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_nothing_is_allowed_unless_the_operator_says_so(settings):
    settings.PROVIDER_HOSTS = []

    for url in (f"https://{HOST}", "http://127.0.0.1:8080"):
        with pytest.raises(Refused):
            parse_url(url)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/team-a/models_2/v1"])
def test_an_allowed_host_may_be_called(path):
    assert parse_url(f"https://{HOST}{path}") == Target("https", HOST, 443, path)
    assert parse_url(f"https://{HOST}:443{path}").port == 443


def test_the_loopback_address_that_is_spelled_out_needs_no_looking_up():
    target = resolve(parse_url("http://127.0.0.1:8080/v1"), look_up=None)

    assert target == Target("http", "127.0.0.1", 8080, "/v1", ("127.0.0.1",))


@pytest.mark.parametrize("address", ["10.0.0.5", "fd00::5"])
def test_a_private_address_that_is_spelled_out_may_be_called_and_opens_nothing_else(address):
    place = f"[{address}]" if ":" in address else address

    assert resolve(parse_url(f"http://{place}:8000/v1"), look_up=None).addresses == (address,)
    for found in ([address], [PUBLIC, address]):  # not even the same address behind a name
        with pytest.raises(Refused, match="not public"):
            resolve(parse_url(f"https://{HOST}"), look_up=lambda host, port, found=found: found)


def test_an_allowed_host_is_looked_up_and_checked_however_its_port_is_written():
    for url in (f"https://{HOST}", f"https://{HOST}:443"):
        with pytest.raises(Refused, match="not public"):
            resolve(parse_url(url), look_up=lambda host, port: ["127.0.0.1"])


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_allowed_host_in_a_private_network_is_refused(address):
    for found in ([address], [PUBLIC, address]):
        with pytest.raises(Refused, match="not public"):
            resolve(parse_url(f"https://{HOST}"), look_up=lambda host, port, found=found: found)


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_public_addresses_are_public(address):
    assert is_public(address)


def test_a_name_that_changes_its_mind_is_called_at_the_address_that_was_checked():
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    target = resolve(parse_url(f"https://{HOST}"), look_up=lambda host, port: next(answers))

    with Channel(resolve(target, look_up=None)) as channel:
        assert [pool.host for pool in channel._pools] == [PUBLIC]
    assert next(answers) == ["127.0.0.1"]  # nobody asked a second time


def test_a_name_that_is_not_found_may_be_found_later():
    def fail(host, port):
        raise OSError("temporary failure in name resolution")

    for look_up in (fail, lambda host, port: []):
        with pytest.raises(Unreachable, match=HOST):
            resolve(parse_url(f"https://{HOST}"), look_up=look_up)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_loopback_is_not_followed(serve, status):
    inner = serve(lambda handler: handler.reply(200))
    outer = serve(lambda handler: handler.reply(status, Location=f"http://127.0.0.1:{inner.server_port}/in"))

    with pytest.raises(Refused, match="redirects"):
        post(outer)
    assert (outer.paths, inner.paths) == (["/v1"], [])


def test_proxies_in_the_environment_are_not_used(serve, monkeypatch):
    proxy, server = serve(lambda handler: handler.reply(500)), serve(lambda handler: handler.reply(200))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")

    assert post(server).status == 200
    assert (proxy.paths, server.paths) == ([], ["/v1"])


def test_an_answer_of_the_largest_size_is_read_and_a_larger_one_refused(serve):
    assert len(post(serve(lambda handler: handler.reply(200, b"x" * MAX_BODY))).body) == MAX_BODY
    with pytest.raises(Refused, match="longer than 2097152 bytes"):
        post(serve(lambda handler: handler.reply(200, b"x" * (MAX_BODY + 1))))


def test_an_answer_without_end_is_refused(serve):
    def pour(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while True:
            handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with pytest.raises(Refused, match="longer than"):
        post(serve(pour))


START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (START + b"Content-Length: 1000\r\n\r\n", b"x"),
        (START + b"\r\n", b"x"),  # until the connection ends
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED, b"0"),  # the length of a chunk that never begins
        (START + b"X-Slow: ", b"x"),
        (b"", b"HTTP"),
    ],
    ids=["body", "open body", "chunks", "length", "header", "status"],
)
def test_an_answer_that_trickles_is_given_up(serve, begin, again):
    gone = threading.Event()

    def trickle(handler):
        handler.wfile.write(begin)
        while not gone.wait(0.1):
            handler.wfile.write(again)

    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"too long|ReadTimeoutError"):
        post(serve(trickle), seconds=0.5)
    gone.set()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("begin", [START + b"X-Slow: ", START + b"Content-Length: 1000\r\n\r\n"])
def test_an_answer_over_tls_that_trickles_is_given_up(serve, certificate, monkeypatch, begin):
    context, authority, _asked = certificate(HOST)
    monkeypatch.setenv("SSL_CERT_FILE", authority)
    gone = threading.Event()

    def trickle(handler):
        handler.wfile.write(begin)
        while not gone.wait(0.1):
            handler.wfile.write(b"x")

    target = Target("https", HOST, serve(trickle, context).server_port, "", ("127.0.0.1",))
    with Channel(target) as channel, pytest.raises(Unreachable, match=r"too long|ReadTimeoutError"):
        channel.post("/v1", b"{}", {}, seconds=0.5)
    gone.set()


def test_a_compressed_answer_is_refused(serve):
    with pytest.raises(Refused, match="compresses"):
        post(serve(lambda handler: handler.reply(200, b"\x1f\x8b", Content_Encoding="gzip")))


def test_a_connection_dropped_in_the_middle_is_no_answer(serve):
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        post(serve(lambda handler: handler.drop()))


def test_a_port_where_nobody_listens_is_no_answer(serve):
    server = serve(lambda handler: handler.reply(200))
    server.shutdown()
    server.server_close()

    with pytest.raises(Unreachable, match="takes no connections"):
        post(server)


def test_tls_is_checked_against_the_name_though_the_address_is_dialled(serve, certificate, monkeypatch):
    context, authority, asked = certificate(HOST)
    server = serve(lambda handler: handler.reply(200), context)
    monkeypatch.setenv("SSL_CERT_FILE", authority)

    def call(name):
        with Channel(Target("https", name, server.server_port, "", ("127.0.0.1",))) as channel:
            return channel.post("/v1", b"{}", {}, seconds=5).status

    assert call(HOST) == 200
    with pytest.raises(Unreachable, match="SSL"):
        call("other.example.org")
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(Unreachable, match="SSL"):
        call(HOST)
    assert [handler.headers["Host"] for handler in server.asked] == [f"{HOST}:{server.server_port}"]
    assert asked == [HOST, "other.example.org", HOST]


@pytest.fixture
def certificate(tmp_path):
    """Makes a server's TLS context for a name, the file of who vouches for it, a list of names asked for."""

    def make(name):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        now = datetime.datetime.now(datetime.UTC)
        signed = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "certificate.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + signed.public_bytes(serialization.Encoding.PEM)
        )
        asked = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.sni_callback = lambda connection, server_name, context: asked.append(server_name)
        return context, str(file), asked

    return make


def test_allowed_hosts_are_names_or_own_servers_spelled_out(monkeypatch):
    own = ["http://127.0.0.1:8080", "http://[::1]:80", "http://10.0.0.5:8000", "https://192.168.1.7:8443"]
    own += ["http://172.31.0.9:8000", "http://100.64.0.7:8000", "http://[fd12:3456::7]:8000"]
    monkeypatch.setenv("PROVIDER_HOSTS", "Models.Example.org, " + ",".join(own))

    assert read_origins("PROVIDER_HOSTS") == [
        "https://models.example.org:443",
        *own,
    ]


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "*",
            "*.example.org",
            "https://models.example.org",
            "models.example.org:443",
            "localhost",
            "10.0.0.5",
        ),
        *("http://10.0.0.5", "http://10.0.0.0/8", "http://10.0.0.*:8000", "http://gpu.internal:8000"),
        *("http://10.0.0.5:08000", "http://10.0.0.05:80", "http://10.5:80", "http://10.0.0.5:8000/v1"),
        *(
            "http://169.254.169.254:80",
            "http://169.254.1.1:8000",
            "http://[fe80::1]:80",
            "http://[fd00::0:5]:80",
        ),
        *("http://[fd00:ec2::254]:80", "http://[fd20:ce::254]:80", "http://100.100.100.200:80"),
        *(
            "http://93.184.216.34:8000",
            "http://168.63.129.16:80",
            "http://172.32.0.1:80",
            "http://[2600::1]:80",
        ),
        *("http://127.0.0.1", "http://0.0.0.0:8080", "http://224.0.0.1:80", "http://[::]:80"),
        *(
            "http://[::ffff:10.0.0.5]:80",
            "http://127.0.0.1:99999",
            "http://999.0.0.1:80",
            "2130706433",
            "a b.org",
        ),
    ],
)
def test_anything_else_cannot_be_allowed(entry, monkeypatch):
    monkeypatch.setenv("PROVIDER_HOSTS", entry)

    with pytest.raises(ImproperlyConfigured, match="PROVIDER_HOSTS"):
        read_origins("PROVIDER_HOSTS")


def test_keys_belong_to_hosts(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEYS", "Models.example.org=sk-a=b, 127.0.0.1=local")

    assert read_keys("OPENAI_API_KEYS") == {"models.example.org": "sk-a=b", "127.0.0.1": "local"}
