"""A TCP proxy that misbehaves on demand: it stalls, trickles, cuts in the middle."""

import select
import socket
import struct
import threading


class Proxy(threading.Thread):
    """In front of one address. What it does holds for the bytes from the server (down) and to
    it (up): pass all, at most `trickle` bytes at a time, or stop after `limit` bytes."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addr = self.listener.getsockname()
        self.trickle = {"up": None, "down": None}
        self.limit = {"up": None, "down": None}
        self.passed = {"up": 0, "down": 0}
        self.pair = None
        self.end = None
        self.over = threading.Event()
        self.start()

    def run(self):
        self.listener.settimeout(0.05)
        while not self.over.is_set():
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            server = socket.create_connection(self.target)
            self.pair = (client, server)
            try:
                self._pump(client, server)
            except OSError:
                pass
            if self.end == "rst":
                for s in self.pair:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            server.close()

    def _pump(self, client, server):
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        way = {client: (server, "up"), server: (client, "down")}
        live = {client, server}
        while live and not self.end and not self.over.is_set():
            ready = [s for s in live if self.room(way[s][1]) != 0]
            for s in select.select(ready, [], [], 0.02)[0]:
                to, name = way[s]
                data = s.recv(self.room(name) or 65536)
                if not data:
                    live.discard(s)
                    to.shutdown(socket.SHUT_WR)
                    continue
                to.sendall(data)
                self.passed[name] += len(data)

    def room(self, name):
        """How much may pass at once; None: any amount, 0: stalled."""
        limits = [self.trickle[name]]
        if self.limit[name] is not None:
            limits.append(max(0, self.limit[name] - self.passed[name]))
        return min((n for n in limits if n is not None), default=None)

    def stall(self):
        """Nothing passes any more, and nobody is told."""
        self.limit = dict(self.passed)

    def cut(self, how):
        """Ends both connections: "rst" or "fin"."""
        self.end = how

    def stop(self):
        self.over.set()
        self.join()
        self.listener.close()
