"""Real servers on loopback ports that answer as a test says, and that the product may call."""

import json
import threading
from copy import copy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from collector.providers import PROVIDERS
from collector.providers.base import Request


class Server(ThreadingHTTPServer):
    """A real server on a loopback port; `answer(handler)` answers, `asked` is what it was asked."""

    daemon_threads = True

    def __init__(self, answer, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.asked = answer, []
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def paths(self):
        return [handler.path for handler in self.asked]

    def handle_error(self, request, client_address):
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(copy(self))  # the next request on this connection overwrites it
        self.server.answer(self)

    def reply(self, status, body=b"{}", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def drop(self, body=b'{"choices": '):
        """Promises more than it sends."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def serve(settings):
    servers = []

    def start(answer, context=None):
        server = Server(answer, context)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        settings.PROVIDER_HOSTS = [*settings.PROVIDER_HOSTS, f"http://127.0.0.1:{server.server_port}"]
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(question="Why?", **fields):
    return Request([{"role": "user", "content": question}], **fields)


def provider(server, path="/v1", **options):
    endpoint = f"http://127.0.0.1:{server.server_port}{path}"
    return PROVIDERS["openai_compatible"]("some-model", {"endpoint": endpoint, **options})


def completion(text="Because.", **fields):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"id": "chatcmpl-1", "model": "some-model-v2", "choices": [choice]} | fields).encode()
