"""Which network addresses may be called: the public internet's, and servers that the operator spelled out."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# All that has been given out for public use; Python counts fec0::/10, for one, as global.
PUBLIC_V6 = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
OWN_NETWORKS = [
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7"),
    )
]
# Where clouds hand a machine its secrets, beside all of 169.254.0.0/16; never called, whoever allows it.
# AWS, Google, Alibaba, Oracle and Azure (whose address is a public one).
METADATA = [
    ipaddress.ip_address(address)
    for address in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
]


def is_public(text: str) -> bool:
    """Whether the address, and any that is wrapped in it, is one of the public internet.

    >>> is_public("93.184.216.34"), is_public("::ffff:127.0.0.1"), is_public("64:ff9b::7f00:1")
    (True, False, False)
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return all(_is_public(one) for one in _unwrapped(address))


def is_own_server(text: str) -> bool:
    """Whether the operator may spell the address out: loopback or a private network's, in its usual form.

    >>> is_own_server("10.0.0.5"), is_own_server("169.254.169.254"), is_own_server("::ffff:10.0.0.5")
    (True, False, False)
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return (
        str(address) == text
        and address not in METADATA
        and any(address in network for network in OWN_NETWORKS)
    )


def _is_public(address: Address) -> bool:
    if address in METADATA or (isinstance(address, ipaddress.IPv6Address) and address not in PUBLIC_V6):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _unwrapped(address: Address) -> list[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return [address, *filter(None, [address.sixtofour, *(address.teredo or ())])]
