"""What the doctor finds of board and system."""

from __future__ import annotations

import pytest

from maskwatch_edge.doctor.board import (
    check_clock,
    check_disk,
    check_memory,
    check_power,
    check_python,
    check_swap,
    check_temperature,
)
from maskwatch_edge.doctor.fake import FakeSystem
from maskwatch_edge.doctor.report import State, ok
from maskwatch_edge.doctor.system import Facts

from .paper_boards import (
    GIB,
    only,
)


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        ("throttled=0x0", State.OK, "no lack of voltage"),
        # Too little voltage and slowed down, now and before.
        (
            "throttled=0x50005",
            State.FAIL,
            "too little voltage now, slowed down now, too little voltage since it was started, "
            "slowed down since it was started (0x50005)",
        ),
        ("throttled=0x50000", State.WARN, "too little voltage since it was started, slowed down"),
        ("throttled=0x8", State.FAIL, "too hot now (0x8)"),
        ("VCHI initialization failed", State.OK, "not told by this board"),
    ],
)
def test_the_firmwares_flags_are_told_in_words(answer: str, state: State, told: str) -> None:
    finding = only(check_power(FakeSystem(outputs={"vcgencmd": answer})))
    assert finding.state is state
    assert told in finding.finding


def test_lack_of_voltage_and_heat_are_mended_differently() -> None:
    mends = [
        only(check_power(FakeSystem(outputs={"vcgencmd": flags}))).mend
        for flags in ("throttled=0x1", "throttled=0x8")
    ]
    assert "power supply" in mends[0]
    assert "fan" in mends[1]


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"/sys/devices/platform/soc/soc:firmware/get_throttled": "50005"}, State.FAIL),
        (
            {"/sys/class/hwmon/hwmon1/name": "rpi_volt",
             "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1"},
            State.FAIL,
        ),
        (
            {"/sys/class/hwmon/hwmon0/name": "cpu_thermal",
             "/sys/class/hwmon/hwmon0/in0_lcrit_alarm": "1"},
            State.OK,
        ),
    ],
)  # fmt: skip
def test_without_vcgencmd_the_kernel_is_asked(files: dict[str, str], state: State) -> None:
    assert only(check_power(FakeSystem(files=files))).state is state


@pytest.mark.parametrize(
    ("degrees", "state", "told"),
    [
        (["51000", "43000"], State.OK, "51 °C"),
        (["51000", "80000"], State.WARN, "80 °C; from 80 °C on"),
        (["-274000", ""], State.OK, "not told"),  # sensors that are asleep
    ],
)
def test_the_hottest_sensor_counts(degrees: list[str], state: State, told: str) -> None:
    zones = {f"/sys/class/thermal/thermal_zone{n}/temp": text for n, text in enumerate(degrees)}
    finding = only(check_temperature(FakeSystem(files=zones)))
    assert finding.state is state
    assert finding.finding.startswith(told)


@pytest.mark.parametrize(
    ("version", "bits", "state"),
    [
        ((3, 11, 2), 64, State.OK),
        ((3, 13, 5), 64, State.OK),
        ((3, 9, 2), 64, State.FAIL),
        ((3, 14, 0), 64, State.FAIL),
        ((3, 11, 2), 32, State.WARN),
    ],
)
def test_python_must_be_one_that_is_supported(
    version: tuple[int, int, int], bits: int, state: State
) -> None:
    facts = Facts(python=version, pointer_bits=bits)
    assert only(check_python(FakeSystem(facts=facts))).state is state


@pytest.mark.parametrize(
    ("free", "state"),
    [(GIB, State.OK), (400 * 2**20, State.WARN), (10 * 2**20, State.FAIL)],
)
def test_a_full_disk_is_told(free: int, state: State) -> None:
    assert only(check_disk(FakeSystem(free={"/": free}))).state is state


def test_little_memory_is_a_warning_unless_the_service_has_taken_its_share() -> None:
    system = FakeSystem(files={"/proc/meminfo": "MemTotal: 900000 kB\nMemAvailable: 102400 kB"})
    assert only(check_memory(system, is_running=False)).state is State.WARN
    assert only(check_memory(system, is_running=True)) == ok("memory", "100 of 878 MiB available")


@pytest.mark.parametrize(
    ("swaps", "controllers", "state"),
    [
        ("", "", State.OK),
        ("/dev/zram0 partition 9 0 1", "", State.OK),
        ("/var/swap file 9 0 1", "cpu memory pids", State.OK),
        ("/var/swap file 9 0 1", "cpu pids", State.WARN),  # Raspberry Pi OS as it comes
    ],
)
def test_swap_on_disk_is_a_warning_where_the_kernel_cannot_keep_frames_out_of_it(
    swaps: str, controllers: str, state: State
) -> None:
    files = {
        "/proc/swaps": f"Filename Type\n{swaps}",
        "/sys/fs/cgroup/cgroup.controllers": controllers,
    }
    assert only(check_swap(FakeSystem(files=files))).state is state


def test_a_clock_that_nobody_sets_is_a_warning() -> None:
    finding = only(check_clock(FakeSystem(outputs={"timedatectl show": "no"})))
    assert (finding.state, finding.mend[:30]) == (State.WARN, "sudo timedatectl set-ntp true,")
