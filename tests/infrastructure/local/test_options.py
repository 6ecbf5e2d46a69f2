"""What `make run` takes, and the sentence for what it does not."""

import socket

import pytest

from infrastructure.local.errors import LaunchError
from infrastructure.local.ports import Ports
from infrastructure.local.run import Options


def test_nothing_given_means_the_documented_addresses_and_no_seed():
    assert Options.read({}) == Options(Ports(4566, 4567, 4568), False, None, False, False)


def test_everything_can_be_given():
    given = {"ONCE": "1", "SEED": "7", "FAULTS": "1", "BREAK": "effects", "PORTS": "1,2, 3"}
    assert Options.read(given) == Options(Ports(1, 2, 3), True, 7, True, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ONCE", "yes"),
        ("FAULTS", "2"),
        ("SEED", "-1"),
        ("SEED", "1.5"),
        ("BREAK", "everything"),
        ("PORTS", "5566"),
        ("PORTS", "5566,5566,5568"),
        ("PORTS", "5566,5567,x"),
        ("PORTS", "5566,5567,65536"),
        ("PORTS", "0,5567,5568"),
        ("PORTS", "1,2,3,4"),
    ],
)
def test_what_it_does_not_take_is_named_with_what_it_takes(name, value):
    with pytest.raises(LaunchError, match=f"^{name} takes .*{value}"):
        Options.read({name: value})


def test_a_busy_port_is_named_with_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LaunchError, match=rf"Port {port} \(for Stripe\) .*PORTS="):
            Ports(Ports.free().aws, port, Ports.free().mail).check()


def test_free_ports_are_three_and_free():
    ports = Ports.free()
    assert len({ports.aws, ports.stripe, ports.mail}) == 3
    ports.check()
