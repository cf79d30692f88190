#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the capture files and fuzzer seeds that dissection is tested with.
usage: tests/lines/packets.py DIRECTORY [SEED-DIRECTORY]"""
import os
import struct
import sys

A4, B4 = bytes([192, 0, 2, 1]), bytes([198, 51, 100, 2])
A6 = bytes.fromhex("20010db8000000000000000000000001")
B6 = bytes.fromhex("20010db800010000000000000000abcd")
LL = bytes.fromhex("fe800000000000000000000000000001")
ALL = bytes.fromhex("ff020000000000000000000000000001")
SRC, DST = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
TEXT = b"abcdefghijklmnopqrstuvwxyz012345"


def be(fmt, *v):
    return struct.pack(">" + fmt, *v)


def csum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def put(data, at, value):
    return data[:at] + be("H", value) + data[at + 2:]


def eth(kind, data, dst=DST, src=SRC):
    return dst + src + be("H", kind) + data


def ip4(proto, data, src=A4, dst=B4, frag=0x4000, tos=0, ttl=64, ident=0x1234, opts=b"", length=None):
    opts += b"\0" * (-len(opts) % 4)
    hl = 20 + len(opts)
    h = be("BBHHHBBH", 0x40 | hl // 4, tos, hl + len(data) if length is None else length, ident, frag,
           ttl, proto, 0) + src + dst + opts
    return put(h, 10, csum(h)) + data


def ip6(nxt, data, src=A6, dst=B6, hlim=64, cls=0, flow=0, length=None):
    return be("IHBB", 6 << 28 | cls << 20 | flow, len(data) if length is None else length, nxt,
              hlim) + src + dst + data


def pseudo(src, dst, proto, n):
    return src + dst + (be("BBH", 0, proto, n) if len(src) == 4 else be("II", n, proto))


def tcp(data=b"", sport=33000, dport=443, seq=1000, ack=0, flags=2, win=64240, opts=b"", urg=0,
        src=A4, dst=B4, sum=None, off=None):
    opts += b"\0" * (-len(opts) % 4)
    words = 5 + len(opts) // 4 if off is None else off
    h = be("HHIIBBHHH", sport, dport, seq, ack, words << 4 | flags >> 8 & 15, flags & 255, win, 0, urg)
    seg = h + opts + data
    return put(seg, 16, csum(pseudo(src, dst, 6, len(seg)) + seg) if sum is None else sum)


def udp(data, sport=33000, dport=9, src=A4, dst=B4, sum=None, length=None):
    n = 8 + len(data)
    seg = be("HHHH", sport, dport, n if length is None else length, 0) + data
    return put(seg, 6, csum(pseudo(src, dst, 17, n) + seg) if sum is None else sum)


def t4(*a, **k):
    return eth(0x800, ip4(6, tcp(*a, **k)))


def u4(*a, **k):
    return eth(0x800, ip4(17, udp(*a, **k)))


def u6(*a, **k):
    return eth(0x86dd, ip6(17, udp(*a, src=A6, dst=B6, **k)))


def icmp(kind, code, rest, sum=None):
    p = be("BBH", kind, code, 0) + rest
    return put(p, 2, csum(p) if sum is None else sum)


def i4(*a, **k):
    return eth(0x800, ip4(1, icmp(*a, **k)))


def icmp6(kind, code, rest, src=LL, dst=ALL):
    p = be("BBH", kind, code, 0) + rest
    return put(p, 2, csum(pseudo(src, dst, 58, len(p)) + p))


def i6(*a, hlim=255):
    return eth(0x86dd, ip6(58, icmp6(*a), LL, ALL, hlim))


def name(s):
    return b"".join(bytes([len(x)]) + x.encode() for x in s.rstrip(".").split(".") if x) + b"\0"


def dns(ident=12345, flags=0x100, qd=(), an=(), ns=(), ar=()):
    return be("HHHHHH", ident, flags, len(qd), len(an), len(ns), len(ar)) + b"".join(
        list(qd) + list(an) + list(ns) + list(ar))


def q(n, kind=1, cls=1):
    return (name(n) if isinstance(n, str) else n) + be("HH", kind, cls)


def rr(n, kind, data, cls=1, ttl=300):
    return (name(n) if isinstance(n, str) else n) + be("HHIH", kind, cls, ttl, len(data)) + data


PTR = b"\xc0\x0c"


def tcps():
    yield t4(flags=2, opts=b"\2\4\5\xb4\4\2\x08\x0a" + be("II", 7, 0) + b"\1\3\3\7")
    yield eth(0x800, ip4(6, tcp(sport=443, dport=33000, seq=5000, ack=1001, flags=0x12, src=B4, dst=A4), B4, A4))
    yield t4(seq=1001, ack=5001, flags=0x10)
    yield t4(TEXT[:10], seq=1001, ack=5001, flags=0x18, win=502, opts=b"\1\1\x08\x0a" + be("II", 9, 8))
    yield eth(0x800, ip4(6, tcp(b"y" * 100, sport=443, dport=33000, seq=5001, ack=1011, flags=0x18, src=B4, dst=A4), B4, A4))
    yield t4(seq=1011, ack=5101, flags=0x11)
    yield t4(seq=1012, ack=0, flags=4)
    yield t4(b"z", seq=1012, ack=9, flags=0x14)
    yield t4(b"hello", sport=1, dport=2, seq=77, ack=88, flags=0x18)
    yield t4(b"hello", sport=1, dport=2, seq=82, ack=88, flags=0x18)
    yield t4(b"u" * 8, sport=1, dport=2, seq=87, ack=88, flags=0x38, urg=3)
    for flags in (0, 1, 0xc2, 0x52, 0x40, 0x80, 0x100, 0x1ff, 0xfff, 0x8, 0x20):
        yield t4(sport=3, dport=4, seq=100 + flags, ack=9, flags=flags)
    yield t4(sport=3, dport=5, flags=0x10, opts=b"\5\x12" + be("IIII", 10, 20, 30, 40) + b"\1\1")
    for o in (b"\xfd\4\1\2", b"\x22\2\1\1", b"\x22\x0a12345678\1\1", b"\x13\x12" + b"m" * 16 + b"\1\1",
              b"\x1c\4\x80\x05", b"\2\3\1\1", b"\2\0\1\1", b"\2\x0a\1\1", b"\1\1\1\2", b"\0\1\1\1", b"\3\4\1\1",
              b"\x1e\x0c\0\1" + b"k" * 8, b"\xfe\6\xf9\x89ab", b"\x08\3\1\1", b"\4\3\1\1", b"\5\6\0\0\0\1\1\1",
              b"\x0e\3\1\1", b"\6\6abcd\1\1", b"\x1d\6\1\2abcd\1\1"):
        yield t4(sport=3, dport=6, flags=0x10, opts=o)
    yield t4(off=4)
    yield t4(off=0)
    yield t4(b"abc", off=15)
    yield t4(sum=0x1111)
    yield t4(sum=0)
    yield eth(0x86dd, ip6(6, tcp(b"abc", src=A6, dst=B6, flags=0x18), flow=0x12345, cls=0xc0))
    yield eth(0x86dd, ip6(6, tcp(b"abc", src=A6, dst=B6, flags=0x18, seq=1003, ack=4, sum=1)))
    yield eth(0x86dd, ip6(6, tcp(b"abc", src=B6, dst=A6, sport=443, dport=33000, flags=0x18, seq=4, ack=1003), B6, A6))
    yield t4(b"GET /index.html HTTP/1.1\r\nHost: example.org\r\n\r\n", dport=80, seq=1, ack=1, flags=0x18)
    yield t4(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nabc", sport=80, dport=33001, seq=1, ack=1, flags=0x18)
    yield t4(b"no such verb\r\n", dport=80, seq=50, ack=1, flags=0x18)
    yield t4(b"POST /a\tb\x1b[31m\xff HTTP/1.1\r\n", dport=8080, seq=1, ack=1, flags=0x18)
    yield t4(b"\0\x1d" + dns(qd=[q("example.org")]), dport=53, seq=1, ack=1, flags=0x18)
    yield t4(b"\0\x1d" + dns(qd=[q("example.org")])[:5], dport=53, seq=40, ack=1, flags=0x18)
    yield t4(b"SSH-2.0-OpenSSH_9.2\r\n", sport=22, dport=33001, seq=1, ack=1, flags=0x18)
    yield t4(b"220 mail.example.org ESMTP\r\n", sport=25, dport=33001, seq=1, ack=1, flags=0x18)
    yield t4(b"220 ftp\r\n", sport=21, dport=33001, seq=1, ack=1, flags=0x18)
    # behind the end of the IP datagram: padding
    yield t4(sport=9, dport=10, flags=0x10) + b"\0" * 6
    yield eth(0x800, ip4(6, tcp(b"abcdef", dport=11), length=43))
    yield eth(0x800, ip4(6, tcp(b"abcdef", dport=12), length=100))
    yield eth(0x800, ip4(6, tcp(dport=13)[:19]))
    yield eth(0x800, ip4(6, tcp(dport=14)[:8]))
    yield eth(0x800, ip4(6, b""))


def hello(sni=b"www.example.org"):
    ext = be("HH", 10, 4) + be("HH", 2, 29)
    if sni is not None:
        ext += be("HHHBH", 0, len(sni) + 5, len(sni) + 3, 0, len(sni)) + sni
    ext += be("HHHBB", 16, 5, 3, 2, 0) [:9]
    body = b"\3\3" + b"r" * 32 + b"\x20" + b"s" * 32 + be("HHH", 4, 0x1301, 0x1302) + b"\1\0" + be("H", len(ext)) + ext
    hs = b"\1" + be("I", len(body))[1:] + body
    return b"\x16\3\1" + be("H", len(hs)) + hs


def ours():
    """What tcpdump 4.99 does not know."""
    yield t4(hello(), seq=1, ack=1, flags=0x18)
    yield t4(hello(None), seq=1, ack=1, flags=0x18, dport=8443)
    yield t4(hello(b"bad\nname\x1b"), seq=1, ack=1, flags=0x18, dport=8443)
    yield t4(b"\x16\3\3\0\x7a\2\0\0\x76\3\3" + b"r" * 32, sport=443, dport=33000, seq=1, ack=1, flags=0x18)
    yield t4(b"\x17\3\3\0\x10" + b"r" * 16, sport=443, dport=33001, seq=1, ack=1, flags=0x18)
    yield t4(b"\x15\3\3\0\2\2\x28", sport=443, dport=33002, seq=1, ack=1, flags=0x18)
    for b in (0xc0, 0xd0, 0xe0, 0xf0):
        yield u4(bytes([b]) + be("I", 1) + b"\x08ABCDEFGH\4scid\0\x41\x20" + b"q" * 300, dport=443)
    yield u4(b"\xc0" + be("I", 0) + b"\x08ABCDEFGH\4scid" + be("II", 1, 0x6b3343cf), sport=443)
    yield u4(b"\xc3" + be("I", 0x6b3343cf) + b"\0\0" + b"q" * 50, dport=443)
    for k, n in ((1, 148), (2, 92), (3, 64), (4, 32), (4, 96), (9, 96)):
        yield u4(bytes([k, 0, 0, 0]) + be("I", 0x01020304) + b"w" * (n - 8), dport=51820)
    yield u4(b"\1\0\0\0wrongsize", dport=51820)


def udps():
    yield u4(TEXT[:10])
    yield u4(b"")
    yield u4(TEXT[:10], sum=0)
    yield u4(TEXT[:10], sum=0x4242)
    yield u4(TEXT[:10], length=100)
    yield u4(TEXT[:10], length=12)
    yield u4(TEXT[:10], length=7)
    yield u4(TEXT[:10], length=0)
    yield u6(TEXT[:10])
    yield u6(TEXT[:10], sum=0)
    yield u6(TEXT[:10], sum=7)
    yield eth(0x800, ip4(17, udp(b"abc")[:7]))
    yield u4(b"M-SEARCH * HTTP/1.1\r\n", dport=1900)


def dnss():
    def d(*a, **k):
        return u4(dns(*a, **k), dport=53)

    def r(*a, **k):
        return u4(dns(*a, **k), sport=53, dport=33000)
    e = "example.org"
    yield d(qd=[q(e)])
    yield u6(dns(qd=[q(e, 28)]), dport=53)
    for kind in (2, 5, 6, 12, 15, 16, 33, 35, 41, 43, 46, 48, 64, 65, 251, 252, 255, 256, 257, 99, 12345):
        yield d(qd=[q(e, kind)])
    yield d(qd=[q(e, 1, 3)])
    yield d(qd=[q(e, 16, 255)])
    yield d(qd=[q(e, 1, 0x8001)])
    yield d(flags=0, qd=[q("a.b.c.")])
    yield d(qd=[q(".")])
    yield d(flags=0x0130, qd=[q(e)])
    yield d(qd=[q(e)], ar=[rr(".", 41, b"", 1232, 0x8000)])
    yield d(qd=[q(e)], ar=[rr(".", 41, b"\0\x0a\0\x08cookie00", 4096, 0)])
    yield d(qd=[q(e), q("b.org", 28)])
    yield d(qd=[])
    yield d(flags=0x2900, qd=[q(e, 6)])
    yield d(flags=0x2100, qd=[q(e, 6)])
    yield d(flags=0x1100, qd=[q(e, 6)])
    yield d(flags=0x0900, qd=[q(e, 6)])
    yield d(qd=[q(e)], an=[rr(PTR, 1, A4)])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 1, A4)])
    yield r(flags=0x8580, qd=[q(e)], an=[rr(PTR, 1, A4), rr(PTR, 1, B4)])
    yield r(flags=0x8180, qd=[q(e, 28)], an=[rr(PTR, 28, B6)])
    yield r(flags=0x8183, qd=[q(e)], ns=[rr(PTR, 6, name("ns." + e) + PTR + be("IIIII", 1, 2, 3, 4, 5))])
    for rcode in range(16):
        yield r(flags=0x8000 | rcode, qd=[q(e)])
    yield r(flags=0x8780, qd=[q(e)])
    yield r(flags=0x81b0, qd=[q(e)])
    yield r(flags=0xa900, qd=[q(e)])
    yield r(flags=0x8180, qd=[q(e, 5)], an=[rr(PTR, 5, name("www") [:-1] + PTR), rr(b"\xc0\x29", 1, A4)])
    yield r(flags=0x8180, qd=[q(e, 15)], an=[rr(PTR, 15, be("H", 10) + b"\4mail" + PTR)])
    yield r(flags=0x8180, qd=[q(e, 2)], an=[rr(PTR, 2, b"\2ns" + PTR), rr(PTR, 2, name("ns2.example.net"))])
    yield r(flags=0x8180, qd=[q(e, 16)], an=[rr(PTR, 16, b"\x0bv=spf1 -all"), rr(PTR, 16, b"\3a\"b\2\1\x7f")])
    yield r(flags=0x8180, qd=[q("1.2.0.192.in-addr.arpa", 12)], an=[rr(PTR, 12, name(e))])
    yield r(flags=0x8180, qd=[q("_sip._udp." + e, 33)], an=[rr(PTR, 33, be("HHH", 1, 2, 5060) + name("sip." + e))])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 257, b"\0\5issueca.example")])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 65, b"\0\1\0\0\1\0\3\2h2")])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 46, b"s" * 30), rr(PTR, 43, b"s" * 20)])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 1, A4)], ar=[rr(".", 41, b"", 512, 0)])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 1, A4)], ns=[rr(PTR, 2, b"\2ns" + PTR)], ar=[rr("ns." + e, 1, B4)])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 1, A4, 3), rr(PTR, 1, A4, 0x8001)])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(b"\xc0\x29", 1, A4)])  # a name that points at itself
    yield r(flags=0x8180, qd=[q(e)], an=[rr(b"\xc0\xff", 1, A4)])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 1, A4[:3])])
    yield r(flags=0x8180, qd=[q(e)], an=[rr(PTR, 1, A4)])[:-5]
    yield d(qd=[q(b"\3a\nb\2\x1b\xff\0")])
    yield d(qd=[q(b"\5a.b\\c\0")])
    yield d(qd=[q(b"\x80abc\0")])
    yield d(qd=[q(b"\x41\x08abc\0")])
    yield d(qd=[q(b"\x3f" + b"l" * 63 + b"\x3f" + b"m" * 63 + b"\x3f" + b"n" * 63 + b"\x3f" + b"o" * 63 + b"\0")])
    yield u4(dns(qd=[q(e)])[:-6], dport=53)
    yield u4(dns()[:11], dport=53)
    yield u4(b"", dport=53)
    yield u4(dns(qd=[q("_http._tcp.local", 12)], flags=0), sport=5353, dport=5353)
    yield u4(dns(flags=0x8400, an=[rr("host.local", 1, A4, 0x8001)]), sport=5353, dport=5353)
    yield u4(dns(qd=[q("host")], flags=0), dport=5355)


def icmps():
    for code in (0, 1):
        yield i4(8, code, be("HH", 77, 1) + b"p" * 56)
        yield i4(0, code, be("HH", 77, 1) + b"p" * 56)
    inner = ip4(17, udp(b"abcd", dport=53))
    inner_tcp = ip4(6, tcp())
    for code in range(17):
        yield i4(3, code, be("HH", 0, 1400) + inner)
    yield i4(3, 3, be("I", 0) + inner_tcp[:28])
    yield i4(3, 3, be("I", 0) + ip4(47, b"12345678"))
    yield i4(3, 4, be("HH", 0, 0) + inner)
    yield i4(3, 3, be("I", 0) + inner[:20])
    yield i4(3, 3, be("I", 0) + inner[:10])
    for code in range(5):
        yield i4(5, code, B4 + inner)
    yield i4(11, 0, be("I", 0) + inner)
    yield i4(11, 1, be("I", 0) + inner)
    yield i4(11, 2, be("I", 0) + inner)
    yield i4(12, 0, be("I", 5 << 24) + inner)
    yield i4(12, 1, be("I", 0) + inner)
    yield i4(12, 2, be("I", 0) + inner)
    yield i4(4, 0, be("I", 0) + inner)
    yield i4(9, 0, be("BBH", 1, 2, 1800) + B4 + be("I", 5))
    yield i4(10, 0, be("I", 0))
    yield i4(13, 0, be("HHIII", 1, 2, 3, 4, 5))
    yield i4(14, 0, be("HHIII", 1, 2, 3600000, 7200001, 5))
    yield i4(17, 0, be("HHI", 1, 2, 0))
    yield i4(18, 0, be("HHI", 1, 2, 0xffffff00))
    yield i4(42, 0, be("I", 0))
    yield i4(15, 0, be("I", 0))
    yield i4(8, 0, be("HH", 77, 2) + b"p" * 8, sum=0x1234)
    yield eth(0x800, ip4(1, b"\x08\0\0"))


def nds():
    lladdr = b"\1\1" + SRC
    tgt = b"\2\1" + DST
    yield i6(135, 0, be("I", 0) + B6 + lladdr)
    yield i6(135, 0, be("I", 0) + B6)
    yield i6(136, 0, be("I", 0xe0000000) + B6 + tgt)
    yield i6(133, 0, be("I", 0) + lladdr)
    prefix = b"\3\4" + be("BBIII", 64, 0xc0, 3600, 1800, 0) + A6[:8] + b"\0" * 8
    mtu = b"\5\1" + be("HI", 0, 1500)
    rdnss = b"\x19\3" + be("HI", 0, 600) + A6
    dnssl = b"\x1f\3" + be("HI", 0, 600) + name("example.org") + b"\0\0\0"
    yield i6(134, 0, be("BBHII", 64, 0x40, 1800, 0, 0) + prefix + mtu + lladdr + rdnss + dnssl)
    yield i6(134, 0, be("BBHII", 64, 0xc8, 1800, 1000, 2000))
    yield i6(137, 0, be("I", 0) + A6 + B6)
    for code in range(9):
        yield i6(1, code, be("I", 0) + ip6(17, udp(b"abcd", src=A6, dst=B6, dport=53)))
    yield i6(1, 4, be("I", 0) + ip6(6, tcp(src=A6, dst=B6)))
    yield i6(2, 0, be("I", 1280) + ip6(17, udp(b"abcd", src=A6, dst=B6)))
    yield i6(3, 0, be("I", 0) + ip6(17, udp(b"abcd", src=A6, dst=B6)))
    yield i6(3, 1, be("I", 0) + ip6(17, udp(b"abcd", src=A6, dst=B6)))
    for code in range(4):
        yield i6(4, code, be("I", 40) + ip6(17, udp(b"abcd", src=A6, dst=B6)))
    yield i6(128, 0, be("HH", 77, 1) + b"p" * 56)
    yield i6(129, 0, be("HH", 77, 1) + b"p" * 56)
    yield i6(130, 0, be("HH", 1000, 0) + B6)
    yield i6(130, 0, be("HH", 1000, 0) + B6 + be("BBH", 2, 125, 0))
    yield i6(131, 0, be("HH", 1000, 0) + B6)
    yield i6(132, 0, be("HH", 1000, 0) + B6)
    yield i6(143, 0, be("HH", 0, 1) + be("BBH", 4, 0, 0) + B6)
    yield i6(200, 0, be("I", 0))
    yield i6(135, 0, be("I", 0) + B6[:4])
    hbh = b"\x3a\0\5\2\0\0\1\0"
    yield eth(0x86dd, ip6(0, hbh + icmp6(143, 0, be("HH", 0, 1) + be("BBH", 4, 0, 0) + B6), LL, ALL, 1))


def ips():
    yield eth(0x800, ip4(17, udp(TEXT), frag=0x2000))
    yield eth(0x800, ip4(17, TEXT, frag=0x2005))
    yield eth(0x800, ip4(17, TEXT, frag=5))
    yield eth(0x800, ip4(6, TEXT, frag=0x8005))
    yield eth(0x800, ip4(1, TEXT, frag=7))
    yield eth(0x800, ip4(199, TEXT, frag=7))
    for proto in (0, 2, 27, 46, 50, 51, 88, 89, 94, 103, 108, 112, 115, 133, 136, 139, 143, 199, 254, 255):
        yield eth(0x800, ip4(proto, b"\x31" * 32))
    yield eth(0x800, ip4(17, udp(b"x"), opts=b"\x94\4\0\0"))
    yield eth(0x800, ip4(17, udp(b"x"), opts=b"\x07\x0b\x04" + A4 + b"\0" * 4 + b"\1"))
    yield eth(0x800, ip4(17, udp(b"x"), opts=b"\x44\x0c\x05\0" + be("II", 5, 0)))
    yield eth(0x800, ip4(17, udp(b"x"), opts=b"\x83\x07\x04" + A4 + b"\0"))
    yield eth(0x800, ip4(17, udp(b"x"), opts=b"\x07\0\x04\1"))
    yield eth(0x800, ip4(17, udp(b"x"), opts=b"\x1e\4ab"))
    yield eth(0x800, ip4(17, udp(b"x"), tos=0xb9, ttl=1, ident=0, frag=0))
    yield eth(0x800, put(ip4(17, udp(b"x")), 10, 0x1111))
    yield eth(0x800, ip4(17, udp(b"x"), length=10))
    yield eth(0x800, ip4(17, udp(b"x"), length=0))
    yield eth(0x800, b"\x41" + ip4(17, udp(b"x"))[1:])
    yield eth(0x800, b"\x4f" + ip4(17, udp(b"x"))[1:])
    yield eth(0x800, b"\x55" + ip4(17, udp(b"x"))[1:])
    yield eth(0x800, ip4(17, udp(b"x"))[:19])
    yield eth(0x800, b"")
    yield eth(0x86dd, ip6(59, b""))
    yield eth(0x86dd, ip6(59, b"abc"))
    yield eth(0x86dd, ip6(17, udp(b"x", src=A6, dst=B6), length=0))
    yield eth(0x86dd, ip6(17, udp(b"x", src=A6, dst=B6), length=99))
    yield eth(0x86dd, ip6(17, udp(b"x", src=A6, dst=B6), length=8))
    yield eth(0x86dd, b"\x50" + ip6(17, udp(b"x", src=A6, dst=B6))[1:])
    yield eth(0x86dd, ip6(17, b"")[:39])
    u = udp(TEXT[:8], src=A6, dst=B6)
    yield eth(0x86dd, ip6(0, b"\x11\0\1\4\0\0\0\0" + u))
    yield eth(0x86dd, ip6(60, b"\x11\0\1\4\0\0\0\0" + u))
    yield eth(0x86dd, ip6(0, b"\x3c\0\x05\2\0\0\1\0" + b"\x11\0\xc9\4abcd" + u))
    yield eth(0x86dd, ip6(43, b"\x11\2\0\1\0\0\0\0" + B6 + u))
    yield eth(0x86dd, ip6(43, b"\x11\2\4\1\0\0\0\0" + B6 + u))
    yield eth(0x86dd, ip6(43, b"\x11\2\x09\1\0\0\0\0" + B6 + u))
    yield eth(0x86dd, ip6(44, b"\x11\0" + be("HI", 1, 0xabcd) + u))
    yield eth(0x86dd, ip6(44, b"\x11\0" + be("HI", 1448, 0xabcd) + u))
    yield eth(0x86dd, ip6(44, b"\x11\0" + be("HI", 1449, 0xabcd) + u))
    yield eth(0x86dd, ip6(51, b"\x11\4\0\0" + be("II", 1, 2) + b"\0" * 12 + u))
    yield eth(0x86dd, ip6(50, be("II", 0x1234, 7) + b"e" * 32))
    yield eth(0x86dd, ip6(199, b"e" * 32))
    yield eth(0x86dd, ip6(0, b"\x11\xff\1\4\0\0\0\0" + u))
    yield eth(0x86dd, ip6(0, b"\x11\0\1\xff\0\0\0\0" + u))
    yield eth(0x86dd, ip6(1, u))
    yield eth(0x800, ip4(58, u))
    yield eth(0x800, ip4(2, bytes.fromhex("1100ee9be0000001")))
    for t in ("16000904e00000fb", "17000904e00000fb", "22000904000000010400000" + "0e00000fb", "1164ee9b00000000027d0000"):
        yield eth(0x800, ip4(2, bytes.fromhex(t), opts=b"\x94\4\0\0", ttl=1))


def tunnels():
    inner4 = ip4(17, udp(b"abcd"))
    inner6 = ip6(17, udp(b"abcd", src=A6, dst=B6))
    frame = eth(0x800, ip4(6, tcp()))
    yield eth(0x800, ip4(4, inner4))
    yield eth(0x800, ip4(41, inner6))
    yield eth(0x86dd, ip6(4, inner4))
    yield eth(0x86dd, ip6(41, inner6))
    for flags, rest in ((0, b""), (0x2000, be("I", 5)), (0x8000, be("HH", 0x1234, 0)), (0x1000, be("I", 9)),
                        (0x3000, be("II", 5, 9)), (0x0800, b"")):
        yield eth(0x800, ip4(47, be("HH", flags, 0x800) + rest + inner4))
    yield eth(0x800, ip4(47, be("HH", 0, 0x86dd) + inner6))
    yield eth(0x800, ip4(47, be("HH", 0, 0x6558) + frame))
    yield eth(0x800, ip4(47, be("HH", 0, 0x1234) + b"abcd"))
    yield eth(0x800, ip4(47, be("HH", 1, 0x800) + inner4))
    yield eth(0x800, ip4(47, be("HHHHI", 0x2001, 0x880b, 4, 7, 1) + b"\xff\3\xc0\x21"))
    yield eth(0x86dd, ip6(47, be("HH", 0, 0x800) + inner4))
    for flags in (8, 0):
        yield u4(be("II", flags << 24, 100 << 8) + frame, dport=4789)
    yield u4(be("II", 8 << 24, 100 << 8) + eth(0x806, b"\0\1\x08\0\6\4\0\1" + SRC + A4 + b"\0" * 6 + B4), dport=4789)
    yield u4(be("I", 8 << 24), dport=4789)
    yield u4(be("BBHI", 0, 0, 0x6558, 100 << 8) + frame, dport=6081)
    yield u4(be("BBHI", 2, 0xc0, 0x6558, 100 << 8) + be("HBBI", 0x102, 0x83, 1, 5) + frame, dport=6081)
    yield u4(be("BBHI", 0, 0, 0x800, 100 << 8) + inner4, dport=6081)
    yield u4(be("BBHI", 0, 0, 0x1234, 100 << 8) + inner4, dport=6081)
    yield u4(be("BBHI", 0x40, 0, 0x800, 100 << 8) + inner4, dport=6081)
    yield eth(0x8847, be("I", 16 << 12 | 0x1ff) + inner4)
    yield eth(0x8847, be("II", 1000 << 12 | 2 << 9 | 64, 17 << 12 | 0x1ff) + inner6)
    yield eth(0x8847, be("I", 0x1ff) + inner4)
    yield eth(0x8848, be("I", 3 << 12 | 0x1ff) + inner4)
    deep = inner4
    for _ in range(7):
        deep = ip4(4, deep)
    yield eth(0x800, deep)


def links():
    arp = b"\0\1\x08\0\6\4"
    yield eth(0x806, arp + b"\0\1" + SRC + A4 + b"\0" * 6 + B4, b"\xff" * 6)
    yield eth(0x806, arp + b"\0\2" + SRC + A4 + DST + B4)
    yield eth(0x806, arp + b"\0\1" + SRC + A4 + DST + B4)
    yield eth(0x806, arp + b"\0\1" + SRC + A4 + b"\0" * 6 + A4 + b"\0" * 18)
    yield eth(0x806, arp + b"\0\1" + SRC + b"\0" * 4 + b"\0" * 6 + B4)
    for op in (3, 4, 8, 9, 10, 77):
        yield eth(0x8035 if op < 5 else 0x806, arp + be("H", op) + SRC + A4 + DST + B4)
    yield eth(0x806, b"\0\6\x08\0\6\4\0\1" + SRC + A4 + b"\0" * 6 + B4)
    yield eth(0x806, b"\0\1\x86\xdd\6\x10\0\1" + SRC + A6 + b"\0" * 6 + B6)
    yield eth(0x806, arp + b"\0\1" + SRC)
    inner4 = ip4(17, udp(b"abcd"))
    yield eth(0x8100, be("HH", 5, 0x800) + inner4)
    yield eth(0x8100, be("HH", 0x7005, 0x800) + inner4)
    yield eth(0x88a8, be("HHHH", 100, 0x8100, 200, 0x86dd) + ip6(17, udp(b"abcd", src=A6, dst=B6)))
    yield eth(0x9100, be("HHHH", 100, 0x8100, 200, 0x800) + inner4)
    yield eth(0x8100, be("HH", 5, 0x806) + arp + b"\0\1" + SRC + A4 + b"\0" * 6 + B4)
    yield eth(0x8100, be("HHHHHHHHHHHH", *([5, 0x8100] * 6)) + inner4)
    yield eth(0x8100, b"\0")
    yield eth(0x1234, b"ab\ncd" * 4)
    yield eth(0x88cc, bytes.fromhex("0207040200000000010403056574683006020078") + b"\0\0")
    yield eth(0x888e, b"\1\1\0\0")
    yield eth(0x8863, b"\x11\x09\0\0\0\4\1\1\0\0")
    yield eth(0x8864, b"\x11\0\0\x21\0\x1e\0\x21" + inner4)
    yield eth(0x8808, be("HH", 1, 0xffff) + b"\0" * 42)
    yield eth(0x8809, b"\1\1" + b"\0" * 48)
    yield eth(0x9000, b"\0" * 46)
    yield eth(0x88e5, b"\x2c\0" + be("I", 1) + b"m" * 40)
    stp = bytes.fromhex("0000000000") + be("HH6sIH6sHHHHHH", 0, 0, b"", 0, 0, b"", 0, 0, 0, 0, 0, 0)[:0]
    config = bytes.fromhex("424203" + "0000000000" + "8000020000000001" + "00000004" + "8001020000000002"
                           + "8002" + "0000" + "1400" + "0200" + "0f00")
    yield eth(len(config), config + b"\0" * 8, bytes.fromhex("0180c2000000"))
    yield eth(len(config), config[:7] + b"\x81" + config[8:] + b"\0" * 8, bytes.fromhex("0180c2000000"))
    rstp = config[:5] + b"\2\2\x3c" + config[8:] + b"\0"
    yield eth(len(rstp), rstp + b"\0" * 7, bytes.fromhex("0180c2000000"))
    yield eth(7, bytes.fromhex("42420300000080") + b"\0" * 39, bytes.fromhex("0180c2000000"))
    yield eth(8, bytes.fromhex("aaaa030000000800"))
    yield eth(8 + len(inner4), bytes.fromhex("aaaa030000000800") + inner4)
    yield eth(20, bytes.fromhex("aaaa0300000c2004") + b"\2\xb4\0\1\0\x0aabcdef")
    yield eth(20, bytes.fromhex("aaaa0300000c2000") + b"\2\xb4\0\1\0\x0aabcdef")
    yield eth(4, bytes.fromhex("fefe0383") + b"\0" * 42)
    yield eth(10, bytes.fromhex("e0e003ffff0022001104"))
    yield eth(3, bytes.fromhex("0001af") + b"\0" * 43)
    yield eth(2, b"\xf0\xf0")
    yield eth(20, b"\xff\xff" + b"\0" * 18)
    yield SRC
    yield eth(0x800, inner4)[:13]
    yield b""


def sctp(*chunks, sport=5000, dport=6000, tag=0x11223344):
    body = b""
    for kind, flags, value in chunks:
        c = be("BBH", kind, flags, 4 + len(value)) + value
        body += c + b"\0" * (-len(c) % 4)
    return eth(0x800, ip4(132, be("HHII", sport, dport, tag, 0) + body))


def sctps():
    init = be("IIHHI", 0xabcd, 106496, 10, 65535, 1000)
    yield sctp((1, 0, init), tag=0)
    yield sctp((1, 0, init + be("HH", 0xc000, 4) + be("HHHH", 12, 6, 5, 0)), tag=0)
    yield sctp((2, 0, init + be("HH", 7, 8) + b"cook"))
    yield sctp((10, 0, b"cookie!!"))
    yield sctp((11, 0, b""))
    yield sctp((0, 3, be("IHHI", 1000, 0, 0, 0) + b"hello"))
    yield sctp((0, 7, be("IHHI", 1000, 1, 2, 46) + b"hello world"))
    yield sctp((0, 2, be("IHHI", 1000, 1, 2, 3) + b"x"), (0, 0, be("IHHI", 1001, 1, 2, 3) + b"y"), (0, 1, be("IHHI", 1002, 1, 2, 3) + b"z"))
    yield sctp((3, 0, be("IIHH", 1000, 106496, 0, 0)))
    yield sctp((3, 0, be("IIHH", 1000, 106496, 1, 1) + be("HH", 2, 3) + be("I", 5)))
    yield sctp((4, 0, be("HH", 1, 8) + b"time"))
    yield sctp((5, 0, be("HH", 1, 8) + b"time"))
    yield sctp((6, 0, b""))
    yield sctp((6, 1, be("HH", 12, 8) + b"user"))
    yield sctp((7, 0, be("I", 1000)))
    yield sctp((8, 0, b""))
    yield sctp((9, 0, be("HHHH", 1, 8, 5, 0)))
    yield sctp((14, 0, b""))
    yield sctp((12, 0, be("I", 7)), (13, 0, b""))
    yield sctp((130, 0, be("I", 7)))
    yield sctp((192, 0, be("I", 7)))
    yield sctp((3, 0, be("IIHH", 1000, 106496, 0, 0)), (0, 3, be("IHHI", 1000, 0, 0, 0) + b"hello"))
    good = sctp((11, 0, b""))
    yield good[:-2] + b"\0\0"
    yield good[:-2] + b"\0\x40"
    yield sctp()
    yield eth(0x800, ip4(132, b"1234567"))


def bootp(op, opts, ci=0, yi=0, si=0, gi=0, flags=0, secs=0):
    return be("BBBBIHHIIII", op, 1, 6, 0, 0x11223344, secs, flags, ci, yi, si, gi) + SRC + b"\0" * 10 + b"\0" * 64 + \
        b"\0" * 128 + b"\x63\x82\x53\x63" + opts


def dhcps():
    for t, op in ((1, 1), (2, 2), (3, 1), (5, 2), (6, 2), (4, 1), (7, 1), (8, 1)):
        o = bytes([53, 1, t])
        if t in (3, 4):
            o += b"\x32\4" + A4 + b"\x36\4" + B4
        if op == 2:
            o += b"\x36\4" + B4 + b"\x33\4" + be("I", 3600) + b"\1\4" + b"\xff\xff\xff\0" + b"\3\4" + B4 + b"\6\x08" + A4 + B4
        o += b"\x0c\4host\x3d\7\1" + SRC + b"\x37\4\1\3\6\x0f\xff"
        yield eth(0x800, ip4(17, udp(bootp(op, o, yi=0xc0000205 if op == 2 else 0, secs=3 if op == 1 else 0, flags=0x8000 if t == 1 else 0),
                                     68 if op == 1 else 67, 67 if op == 1 else 68)))
    yield eth(0x800, ip4(17, udp(bootp(3, b"\xff"), 68, 67)))
    yield eth(0x800, ip4(17, udp(bootp(1, b"\x35\0\x0c\xffabc"), 68, 67)))
    yield eth(0x800, ip4(17, udp(bootp(1, b"\xff")[:40], 68, 67)))
    duid = be("HHHH", 1, 14, 1, 1) + be("I", 5) + SRC
    for t in list(range(1, 14)) + [99]:
        relay = t in (12, 13)
        body = be("BB", t, 0) + A6 + B6 + be("HH", 9, 4) + be("I", 1 << 24 | 0xabcdef) if relay else \
            be("I", t << 24 | 0xabcdef) + duid + be("HHH", 8, 2, 100) + be("HHHH", 6, 4, 23, 24)
        if t in (2, 7):
            body += be("HHIII", 3, 40, 1, 100, 200) + be("HH", 5, 24) + A6 + be("II", 300, 600)
        yield eth(0x86dd, ip6(17, udp(body, 546, 547, src=A6, dst=B6)))
    yield u6(b"\1\0", dport=547)


def ntps():
    for first in (0x23, 0x24, 0xe3, 0x1b, 0x25, 0x26, 0x27, 0x21, 0x22, 0x20, 0x13, 0x0b):
        yield u4(bytes([first, 2, 6, 0xe9]) + be("II", 0x100, 0x200) + b"GPS\0" + be("IIIIIIII", 1, 2, 3, 4, 5, 6, 7, 8), sport=123, dport=123)
    yield u4(b"\x23\0\0", dport=123)


FAMILIES = {f.__name__: f for f in (tcps, ours, udps, dnss, icmps, nds, ips, tunnels, links, sctps, dhcps, ntps)}


def sll(frame):
    return be("HHH8sH", 0, 1, 6, SRC, 0) [:14] + frame[12:]


def sll2(frame, kind):
    return frame[12:14] + be("HIHBB8s", 0, 1, 1, kind, 6, SRC) + frame[14:]


def pcap(path, link, packets, magic=0xa1b2c3d4, snap=262144):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, link))
        for i, p in enumerate(packets):
            f.write(struct.pack("<IIII", 1700000000 + i * 7, i * 1001 % 1000000, min(len(p), snap), len(p)) + p[:snap])


def cut(frames, ends=(14, 20, 33, 34, 40, 46, 50, 54, 60, 70, 80)):
    """Each frame at many lengths: what was cut off by the snapshot length."""
    for p in frames:
        for n in ends:
            if n < len(p):
                yield p, n


def cut_pcap(path, frames):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for p, n in cut(frames):
            f.write(struct.pack("<IIII", 1700000000, 0, n, len(p)) + p[:n])


def main():
    out = sys.argv[1]
    frames = {n: list(f()) for n, f in FAMILIES.items()}
    for n, ps in frames.items():
        pcap(os.path.join(out, n + ".pcap"), 1, ps)
        cut_pcap(os.path.join(out, "cut-" + n + ".pcap"), ps[::3])
    short = frames["tcps"][:6] + frames["nds"][:2] + frames["links"][:3]
    pcap(os.path.join(out, "sll.pcap"), 113, [be("H", i % 5) + sll(p)[2:] for i, p in enumerate(short)])
    pcap(os.path.join(out, "sll2.pcap"), 276, [sll2(p, i % 5) for i, p in enumerate(short)])
    raw = [p[14:] for p in short[:8]] + [b"", b"\x10"]
    pcap(os.path.join(out, "raw.pcap"), 101, raw)
    pcap(os.path.join(out, "null.pcap"), 0, [struct.pack("<I", 2 if p[:1] == b"E" else 10) + p for p in raw])
    pcap(os.path.join(out, "loop.pcap"), 108, [be("I", 2 if p[:1] == b"E" else 24) + p for p in raw])
    pcap(os.path.join(out, "nano.pcap"), 1, short, 0xa1b23c4d)
    stamps = b"\1\1\x08\x0a" + be("II", 123456789, 987654321)
    pcap(os.path.join(out, "bench-tcp.pcap"), 1, [
        t4(TEXT[:10], seq=1001, ack=5001, flags=0x18, opts=stamps),
        eth(0x800, ip4(6, tcp(sport=443, dport=33000, seq=5001, ack=1011, flags=0x10, opts=stamps, src=B4, dst=A4), B4, A4))])
    pcap(os.path.join(out, "bench-dns.pcap"), 1, [frames["dnss"][0], u4(
        dns(flags=0x8180, qd=[q("example.org")], an=[rr(PTR, 1, A4)]), sport=53, dport=33000)])
    if len(sys.argv) > 2:
        for n, ps in frames.items():
            for i in range(0, len(ps), 8):
                with open(os.path.join(sys.argv[2], "%s-%02d" % (n, i // 8)), "wb") as f:
                    f.write(bytes([i // 8 * 37 & 255, i // 8 * 11 & 255, 0]))
                    for p in ps[i:i + 8]:
                        f.write(be("HB", len(p), 0) + p)


main()
