"""What is where in the modules that an installer can buy: data, no code. Addresses are those on the wire, from 0.

`source` says what a map was taken from. Maps "from memory" follow the maker's numbering as commonly known and were
not held against the manual's own page: try such a module on the bench before it guards anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

READ_COILS, READ_DISCRETES, READ_HOLDING, READ_REGISTERS = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER = 5, 6
COIL_ON = 0xFF00
"""The one word that switches a coil on (Modbus application protocol V1.1b3, §6.5); 0 switches it off."""
MAX_BITS, MAX_REGISTERS = 2000, 125
"""What one question may ask for (Modbus application protocol V1.1b3, §6.1 and §6.3)."""


@dataclass(frozen=True)
class Inputs:
    """`count` inputs from address `first` on. `function` 1 or 2: a bit each; 3 or 4: a register each, not 0 is on.

    `inverted`: reads off while current flows in the contact.
    """

    function: int
    first: int
    count: int
    inverted: bool = False


@dataclass(frozen=True)
class Outputs:
    """`count` outputs: read back with `read` (1 or 3), written with `write` (5 or 6), the words for on and off."""

    read: int
    write: int
    first: int
    count: int
    on: int = COIL_ON
    off: int = 0


@dataclass(frozen=True)
class Analogues:
    """`count` voltages, a register each. A reading of `steps` is `steps_mv` millivolts; `signed`: two's complement."""

    function: int
    first: int
    count: int
    steps: int
    steps_mv: int
    signed: bool = False


@dataclass(frozen=True)
class Identity:
    """A register that says which module it is, and what stands there."""

    function: int
    register: int
    value: int


@dataclass(frozen=True)
class Profile:
    """One kind of module. `max_registers`: of one question; `pause_ms`: least silence before each question to it."""

    name: str
    source: str
    inputs: Inputs | None = None
    outputs: Outputs | None = None
    analogues: Analogues | None = None
    identity: Identity | None = None
    max_registers: int = MAX_REGISTERS
    pause_ms: int = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many inputs, outputs and analogue inputs it has."""
        parts = (self.inputs, self.outputs, self.analogues)
        return tuple(part.count if part else 0 for part in parts)  # type: ignore[return-value]


_WAVESHARE = (
    "Waveshare wiki, Modbus RTU Relay (protocol V2) and Modbus RTU IO 8CH; register map of Modbus RTU Relay (D)"
)
_ADAM = "Advantech ADAM-4000 manual, appendix G (Modbus mapping: outputs from 00017, module name in 40211)"
_WELLPRO = (
    "Wellpro WP8024ADAM manual V1.42 §5 (function 2 from 0, coils from 0); WP8025, WP8026: integrators' register maps"
)
_ELETECHSUP = (
    "eletechsup N4D8B08: register map of an integrator's driver (outputs from 1, inputs from 129, 0x0100 and 0x0200)"
)
_ICP = "ICP DAS tM series quick start (00001 outputs, 00033 inputs); M-7000 models from memory"


def _adam(model: int) -> Identity:
    return Identity(READ_HOLDING, 210, model)


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "waveshare-relay-8": Profile(
            "Waveshare Modbus RTU Relay", _WAVESHARE, outputs=Outputs(READ_COILS, WRITE_COIL, 0, 8)
        ),
        "waveshare-relay-d-8": Profile(
            "Waveshare Modbus RTU Relay (D)",
            _WAVESHARE,
            inputs=Inputs(READ_DISCRETES, 0, 8),
            outputs=Outputs(READ_COILS, WRITE_COIL, 0, 8),
        ),
        "waveshare-io-8": Profile(
            "Waveshare Modbus RTU IO 8CH",
            _WAVESHARE,
            inputs=Inputs(READ_DISCRETES, 0, 8),
            outputs=Outputs(READ_COILS, WRITE_COIL, 0, 8),
        ),
        "waveshare-analog-8b": Profile(
            "Waveshare Modbus RTU Analog Input 8CH (B), 0–10 V",
            "Waveshare wiki, Modbus RTU Analog Input 8CH (ranges); input registers in mV from 0: from memory",
            analogues=Analogues(READ_REGISTERS, 0, 8, 10_000, 10_000),
        ),
        "adam-4051": Profile(
            "Advantech ADAM-4051",
            f"{_ADAM}; inputs from 00001: from memory",
            inputs=Inputs(READ_COILS, 0, 16),
            identity=_adam(0x4051),
        ),
        "adam-4055": Profile(
            "Advantech ADAM-4055",
            f"{_ADAM}; inputs from 00001: from memory",
            inputs=Inputs(READ_COILS, 0, 8),
            outputs=Outputs(READ_COILS, WRITE_COIL, 16, 8),
            identity=_adam(0x4055),
        ),
        "adam-4150": Profile(
            "Advantech ADAM-4150",
            "Advantech ADAM-4100 manual, appendix B (40211 is 0x4150); inputs 0–6, outputs 16–23 by function 1",
            inputs=Inputs(READ_COILS, 0, 7),
            outputs=Outputs(READ_COILS, WRITE_COIL, 16, 8),
            identity=_adam(0x4150),
        ),
        "adam-4017-plus": Profile(
            "Advantech ADAM-4017+, ±10 V",
            "Advantech ADAM-4000 series: registers 0–7; 0 is −10 V, 65535 is +10 V: from memory",
            analogues=Analogues(READ_HOLDING, 0, 8, 0x8000, 10_000, signed=True),
        ),
        "icp-m7053": Profile("ICP DAS M-7053", _ICP, inputs=Inputs(READ_DISCRETES, 0x20, 16)),
        "icp-m7055": Profile(
            "ICP DAS M-7055",
            _ICP,
            inputs=Inputs(READ_DISCRETES, 0x20, 8),
            outputs=Outputs(READ_COILS, WRITE_COIL, 0, 8),
        ),
        "wellpro-wp8024": Profile(
            "Wellpro WP8024ADAM",
            _WELLPRO,
            inputs=Inputs(READ_DISCRETES, 0, 8),
            outputs=Outputs(READ_COILS, WRITE_COIL, 0, 4),
        ),
        "wellpro-wp8025": Profile("Wellpro WP8025ADAM", _WELLPRO, outputs=Outputs(READ_COILS, WRITE_COIL, 0, 8)),
        "wellpro-wp8026": Profile("Wellpro WP8026ADAM", _WELLPRO, inputs=Inputs(READ_DISCRETES, 0, 16)),
        "eletechsup-n4d8b08": Profile(
            "eletechsup N4D8B08 (its inputs set to unrelated mode: register 0x00FD is 0)",
            _ELETECHSUP,
            inputs=Inputs(READ_HOLDING, 129, 8),
            outputs=Outputs(READ_HOLDING, WRITE_REGISTER, 1, 8, on=0x0100, off=0x0200),
        ),
        "eletechsup-r4d3b16": Profile(
            "eletechsup R4D3B16",
            "eletechsup R4D series, the words of N4D8B08; 16 relays from register 1: from memory",
            outputs=Outputs(READ_HOLDING, WRITE_REGISTER, 1, 16, on=0x0100, off=0x0200),
        ),
        "moxa-r2110": Profile(
            "Moxa ioLogik R2110",
            "Moxa ioLogik R2110 manual, appendix A (outputs 00001–00008); inputs from 10001: from memory",
            inputs=Inputs(READ_DISCRETES, 0, 12),
            outputs=Outputs(READ_COILS, WRITE_COIL, 0, 8),
        ),
    }
)
"""By the name that stands in the panel file."""
