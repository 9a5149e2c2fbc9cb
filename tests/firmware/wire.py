"""A cable into a board's second socket: Ethernet frames from and to its emulator, and on them
the multicast DNS of a neighbour (RFC 6762)."""
import socket
import struct
import time

GROUP, PORT = "224.0.0.251", 5353
US = "169.254.77.7"
US_MAC, GROUP_MAC = bytes.fromhex("025500000077"), bytes.fromhex("01005e0000fb")
A, PTR, TXT, SRV, ANY = 1, 12, 16, 33, 255
IN, FLUSH = 1, 0x8000


# --- names and records ---

def packed(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split(".")) + b"\0"


def name_at(data, at):
    """(name, where it ends); a pointer only leads backwards."""
    labels, end, least = [], None, at
    while n := data[at]:
        if n & 0xC0:
            end = end or at + 2
            at = (n & 0x3F) << 8 | data[at + 1]
            assert at < least, "a pointer that does not lead back"
            least = at
            continue
        labels.append(data[at + 1:at + 1 + n].decode())
        at += 1 + n
    return ".".join(labels), end or at + 1


def record_value(data, kind, at, length):
    if kind == A:
        return socket.inet_ntoa(data[at:at + 4])
    if kind == PTR:
        return name_at(data, at)[0]
    if kind == SRV:
        return struct.unpack_from("!H", data, at + 4)[0], name_at(data, at + 6)[0]
    return data[at:at + length]


def message(data):
    """(is an answer, [(name, type) asked], [(name, type, value)] of all other sections)."""
    _, flags, asked, *others = struct.unpack_from("!6H", data)
    at, questions, records = 12, [], []
    for _ in range(asked):
        name, at = name_at(data, at)
        questions.append((name, struct.unpack_from("!H", data, at)[0]))
        at += 4
    for _ in range(sum(others)):
        name, at = name_at(data, at)
        kind, _, _, length = struct.unpack_from("!HHIH", data, at)
        at += 10
        records.append((name, kind, record_value(data, kind, at, length)))
        at += length
    return bool(flags & 0x8000), questions, records


def query(name, kind):
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + packed(name) + struct.pack("!HH", kind, IN)


def claim(name, address):
    """An answer that nobody asked for: this name is at this address, and nowhere else."""
    return (struct.pack("!6H", 0, 0x8400, 0, 1, 0, 0) + packed(name)
            + struct.pack("!HHIH", A, IN | FLUSH, 120, 4) + socket.inet_aton(address))


# --- frames ---

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(payload):
    """UDP, from our port 5353 to everybody's."""
    udp = struct.pack("!4H", PORT, PORT, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 255, 17, 0,
                       socket.inet_aton(US), socket.inet_aton(GROUP))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return GROUP_MAC + US_MAC + b"\x08\x00" + head + udp


def payload_of(data):
    """What a frame says by multicast DNS over IPv4, or nothing."""
    if data[12:14] != b"\x08\x00" or data[23] != 17 or data[30:34] != socket.inet_aton(GROUP):
        return b""
    at = 14 + (data[14] & 15) * 4
    return data[at + 8:at + struct.unpack_from("!H", data, at + 4)[0]]


class Wire:
    def __init__(self):
        self.ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ours.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.theirs = free.getsockname()

    def qemu(self):
        us, them = self.ours.getsockname(), self.theirs
        return ["-netdev", f"socket,id=wire,udp={us[0]}:{us[1]},localaddr={them[0]}:{them[1]}",
                "-device", "virtio-net-device,netdev=wire,mac=02:55:00:00:00:01"]

    def say(self, payload):
        self.ours.sendto(frame(payload), self.theirs)

    def hear(self, seconds):
        """Messages, as message() tells them, for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.ours.settimeout(left)
            try:
                payload = payload_of(self.ours.recv(65536))
            except (TimeoutError, ConnectionRefusedError):
                continue
            if payload:
                yield message(payload)

    def ask(self, name, kind, timeout, on_question=None):
        """The values that somebody gives for a name, asked for until somebody does.
        on_question(name) is called with what others ask meanwhile."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            self.say(query(name, kind))
            for is_answer, questions, records in self.hear(2):
                if not is_answer:
                    for asked, _ in questions * bool(on_question):
                        on_question(asked)
                elif values := [v for n, k, v in records if (n, k) == (name, kind) and v != US]:
                    return values
        raise AssertionError(f"not within {timeout} s: {name}, type {kind}")

    def close(self):
        self.ours.close()
