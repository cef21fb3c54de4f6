"""Fetching from a real server on this machine that stalls, cuts off, redirects, lies and dies."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import time
from dataclasses import replace

import pytest

from pose3d_cli.errors import OutputError, SettingsError, WeightsError
from pose3d_cli.files.download import Order, Patience, fetch
from pose3d_cli.files.transfer import Part
from tests.disk import no_file_longer_than
from tests.networks import QUICK, Watcher, onnx
from tests.servers import serving

DATA = onnx()
PATIENCE = Patience(**QUICK)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.part"


def got(path, *urls, watcher=None, accept=None, patience=PATIENCE, **more):
    """Fetch, and return what came."""
    taken = []

    def take(file):
        if accept:
            accept(file)
        taken.append(file.read_bytes())

    order = Order(name="net", urls=urls, **more)
    url = fetch(order, path, take, watcher=watcher or Watcher(), patience=patience)
    assert list(path.parent.iterdir()) == []
    assert url in urls
    return taken[-1]


def refuse_all_but(data):
    def accept(file):
        if file.read_bytes() != data:
            raise WeightsError("not that one")

    return accept


def test_a_good_server_gives_the_file_in_one_request(site, path):
    watcher = Watcher()
    assert got(path, site.add("/net", DATA), watcher=watcher) == DATA
    assert site.asked == [("/net", "")]
    assert watcher.stages == [("net, kB", 200)]
    assert watcher.steps[-1] == 200
    assert watcher.warnings == []


def test_it_goes_on_where_the_server_died(site, path):
    url = site.add("/net", DATA, "die 60000", "die 50000")
    assert got(path, url) == DATA
    assert site.sent == len(DATA), "no byte was sent twice"
    assert site.asked == [("/net", ""), ("/net", "bytes=60000-"), ("/net", "bytes=110000-")]


def test_it_goes_on_with_what_an_earlier_run_left(site, path):
    url = site.add("/net", DATA, *["die 40000", "die 0", "die 0", "die 0"])
    with pytest.raises(WeightsError, match="it broke off after 40,000 of 200,000 bytes"):
        got(path, url)
    assert Part(path).n_bytes == 40000
    assert got(path, url) == DATA
    assert site.sent == len(DATA)


def test_a_stalled_server_is_left_and_taken_up_again(site, path):
    watcher = Watcher()
    assert got(path, site.add("/net", DATA, "stall 70000"), watcher=watcher) == DATA
    assert watcher.notes == ["net: nothing came for 0.4 s; trying again"]
    assert site.sent == len(DATA)


def test_it_gives_up_when_nothing_new_comes(site, path):
    url = site.add("/net", DATA, *["stall 0"] * 9)
    began = time.monotonic()
    with pytest.raises(
        WeightsError, match=r"nothing came for 0\.4 s\)\. Try again later, or fetch"
    ):
        got(path, url)
    assert len(site.asked) == PATIENCE.tries
    assert time.monotonic() - began < 10


def test_as_long_as_something_comes_it_does_not_give_up(site, path):
    url = site.add("/net", DATA, *["die 10000"] * 19)
    assert got(path, url) == DATA
    assert len(site.asked) == 20
    assert site.sent == len(DATA)


def test_a_server_that_knows_no_parts_sends_it_all_again(site, path):
    url = site.add("/net", DATA, "die 60000", ranges=False)
    assert got(path, url) == DATA
    assert site.sent == 60000 + len(DATA)


@pytest.mark.parametrize("etag", ['"1"', ""])
def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(site, path, etag):
    url = site.add("/net", DATA, *["die 60000", "503", "503", "503"], etag=etag)
    with pytest.raises(WeightsError, match="503"):
        got(path, url)
    newer = onnx(len(DATA) if etag else 210_000, seed=2)
    site.add("/net", newer, etag='"2"' if etag else "")
    assert got(path, url) == newer


def test_a_file_that_became_shorter_is_fetched_from_the_start(site, path):
    url = site.add("/net", DATA, *["die 60000", "503", "503", "503"], etag="")
    with pytest.raises(WeightsError, match="503"):
        got(path, url)
    shorter = onnx(50_000, seed=2)
    site.add("/net", shorter, etag="")
    assert got(path, url) == shorter


def test_redirects_are_followed_with_the_part_asked_for(site, path):
    there = site.add("/there", DATA, "die 60000")
    url = site.add("/net", b"", f"to {there}", f"to {there}")
    assert got(path, url) == DATA
    assert site.asked[-1] == ("/there", "bytes=60000-")
    assert site.sent == len(DATA)


def test_redirects_without_end_are_told(site, path):
    url = site.add("/net", b"", *[f"to {site.base}/net"] * 30)
    with pytest.raises(WeightsError, match="could not be downloaded"):
        got(path, url)


def test_the_second_place_is_asked_when_the_first_has_nothing(site, path):
    watcher = Watcher()
    good = site.add("/net", DATA)
    assert got(path, f"{site.base}/gone", good, watcher=watcher) == DATA
    assert site.asked == [("/gone", ""), ("/net", "")], "a 404 is not asked again"
    assert len(watcher.warnings) == 1
    assert watcher.warnings[0].endswith("HTTP 404 Not Found")


def test_an_overloaded_server_is_asked_again(site, path):
    assert got(path, site.add("/net", DATA, "503", "429")) == DATA
    assert len(site.asked) == 3


def test_the_second_place_goes_on_only_where_a_wrong_file_is_found_out(site, path):
    first = site.add("/first", DATA, *["die 60000", "die 0", "die 0", "die 0"])
    second = site.add("/second", DATA)
    assert got(path, first, second, may_mix=True) == DATA
    assert site.asked[-1] == ("/second", "bytes=60000-")
    site.pages["/first"].modes += ["die 60000", "die 0", "die 0", "die 0"]
    assert got(path, first, second) == DATA
    assert site.asked[-1] == ("/second", "")


def test_a_wrong_file_is_deleted_and_the_next_place_is_asked(site, path):
    watcher = Watcher()
    urls = site.add("/first", onnx(seed=3)), site.add("/second", DATA)
    assert got(path, *urls, watcher=watcher, accept=refuse_all_but(DATA)) == DATA
    assert watcher.warnings[0].endswith("it gave a wrong file: not that one")


def test_a_wrong_file_from_everywhere_leaves_nothing(site, path):
    url = site.add("/net", onnx(seed=3))
    with pytest.raises(WeightsError, match="it gave a wrong file: not that one"):
        got(path, url, accept=refuse_all_but(DATA))
    assert list(path.parent.iterdir()) == []


def test_a_bad_beginning_is_thrown_away_and_the_place_asked_once_more(site, path):
    path.write_bytes(b"rubbish")
    assert got(path, site.add("/net", DATA), accept=refuse_all_but(DATA), may_mix=True) == DATA
    assert site.asked == [("/net", "bytes=7-"), ("/net", "")]


def test_what_is_plainly_another_file_is_not_even_fetched(site, path):
    page = site.add("/page", b"<html>log in first</html>", content_type="text/html; charset=utf-8")
    with pytest.raises(WeightsError, match="it gave a web page, not the file"):
        got(path, page)
    with pytest.raises(WeightsError, match="there has 200,000 bytes, and should have 200,001"):
        got(path, site.add("/net", DATA), n_bytes=len(DATA) + 1)
    assert list(path.parent.iterdir()) == []


def test_a_length_that_is_not_announced_is_no_trouble(site, path):
    assert got(path, site.add("/net", DATA, sized=False)) == DATA


def test_nobody_there_is_told(path):
    with serving() as gone:
        url = f"{gone.base}/net"
    with pytest.raises(WeightsError, match="the connection failed"):
        got(path, url)
    with pytest.raises(WeightsError, match="no place is known"):
        got(path)


def test_a_server_that_comes_back_is_met_again(path):
    """It dies half way, is away for a moment, and is there again on the same port."""
    with serving() as site:
        url = site.add("/net", DATA, "die 60000", *["503"] * 50)
        done = []
        patient = replace(PATIENCE, tries=500)
        thread = threading.Thread(target=lambda: done.append(got(path, url, patience=patient)))
        thread.start()
        site.wait_until_sent(60000)
        time.sleep(0.05)
        site.pages["/net"].modes.clear()
        thread.join(20)
        assert done == [DATA]
        assert site.sent == len(DATA)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "net.onnx", "ftp://a.example/net", "http:x"])
def test_only_addresses_of_the_web_are_asked(path, url):
    with pytest.raises(SettingsError, match=r"is no http:// or https:// address"):
        got(path, url)


def test_a_full_disk_is_told_and_what_came_is_kept(site, path):
    url = site.add("/net", DATA)
    with (
        no_file_longer_than(100_000),
        pytest.raises(OutputError, match="choose another folder with POSE3D_CACHE"),
    ):
        got(path, url)
    assert Part(path).n_bytes == 100_000
    assert got(path, url) == DATA
    assert site.asked[-1] == ("/net", "bytes=100000-")


def test_a_proxy_is_asked_where_one_is_set(site, path, monkeypatch):
    monkeypatch.setenv("http_proxy", site.base)
    url = "http://models.invalid/net"
    site.add(url, DATA)
    assert got(path, url) == DATA
    assert site.asked == [(url, "")]
    monkeypatch.setenv("no_proxy", "models.invalid")
    with pytest.raises(WeightsError, match=r"the address is not found|the connection failed"):
        got(path, url)


@pytest.fixture
def secure(tmp_path_factory):
    """An encrypted server whose certificate nobody knows, and the file of it."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", *words], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(context) as running:
        yield running, certificate


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_certificates_of_the_usual_variables_are_trusted(secure, path, monkeypatch, variable):
    site, certificate = secure
    url = site.add("/net", DATA)
    with pytest.raises(WeightsError, match=r"certificate is not trusted .* set SSL_CERT_FILE"):
        got(path, url)
    monkeypatch.setenv(variable, str(certificate))
    assert got(path, url) == DATA


def test_nobody_is_sent_from_an_encrypted_place_to_an_open_one(secure, site, path, monkeypatch):
    closed, certificate = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url = closed.add("/net", b"", f"to {site.add('/net', DATA)}")
    with pytest.raises(WeightsError, match="sends us on to an address without encryption"):
        got(path, url)
    assert site.asked == []
