"""The documentation: that it is built without a warning, and has everything that the code has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from maskwatch_edge.__main__ import find_commands
from maskwatch_edge.config import LampConfig
from maskwatch_edge.config.keys import keys_of
from maskwatch_edge.config.names import KEYS
from maskwatch_edge.fault_log import message_id
from maskwatch_edge.faults import Fault

ROOT = Path(__file__).parents[2]
pytest.importorskip("material", reason="needs the extra docs")
sys.path.append(str(ROOT))

from docs.generated.excerpts import section  # noqa: E402
from docs.generated.wiring import HEADER, USED, draw_wiring, ground_for, pin_named  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the built pages."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "-d", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


def words(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text())


def test_every_setting_is_in_the_reference(site: Path) -> None:
    page = (site / "reference/configuration.html").read_text()
    lamps = [f"indicator.lamps.{name}" for name in keys_of(LampConfig)]
    for name in [*KEYS, *lamps]:
        assert f'id="{name}"' in page


def test_every_command_is_in_the_reference(site: Path) -> None:
    page = words(site / "reference/commands.html")
    for command in find_commands():
        assert f"usage: maskwatch {command.name}" in page
    assert "usage: maskwatch config check" in page
    assert str(Path.home()) not in page


def test_every_fault_is_in_the_reference_with_its_cause_and_cure(site: Path) -> None:
    page = (site / "reference/faults.html").read_text()
    text = " ".join(words(site / "reference/faults.html").split())
    for fault in Fault:
        assert f'id="{fault.id}"' in page
        assert f"MESSAGE_ID={message_id(fault)}" in text
    assert "refuses the name or password." in text
    assert "tries the broker and says what it answers." in text


def test_figures_come_from_where_they_stand(site: Path) -> None:
    page = words(site / "numbers.html")
    row = "12K Validation, unmasked"
    assert row in section(ROOT, "README.md", "Measured")
    assert row in page
    assert "{{" not in "".join(words(each) for each in site.rglob("*.html"))


def test_no_page_asks_another_server_for_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        asked = re.findall(
            r'<(?:script|img|iframe)[^>]*src="(?:https?:)?//|<link[^>]*rel="(?:stylesheet|preconnect)'
            r'"[^>]*href="(?:https?:)?//',
            page.read_text(),
        )
        assert asked == [], page


def test_a_wiring_picture_is_drawn_from_its_configuration() -> None:
    toml = '[[indicator.lamps]]\nline = "GPIO5"\nrole = "alive"\n'
    picture = ET.fromstring(draw_wiring(toml, "led"))
    texts = [element.text for element in picture.iter(f"{SVG}text")]
    assert "alive: the camera sees" in texts
    used = [e for e in picture.iter(f"{SVG}circle") if e.get("fill") == USED]
    assert len(used) == 2  # GPIO5 and its ground
    assert picture.findtext(f"{SVG}title") == "Wiring: GPIO5 to the lamp alive"


def test_pins_are_where_the_board_has_them() -> None:
    assert len(HEADER) == 40
    assert [n for n, name in enumerate(HEADER, 1) if name == "GND"] == [
        6,
        9,
        14,
        20,
        25,
        30,
        34,
        39,
    ]
    assert (pin_named("GPIO17").number, pin_named("GPIO27").number) == (11, 13)
    assert ground_for([LampConfig("GPIO17")]).number == 25
    assert ground_for([LampConfig("GPIO26")]).number == 39


@pytest.mark.parametrize("line", ["GPIO18", "GPIO99", "17"])
def test_a_line_that_cannot_be_drawn_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"a picture shows lines among GPIO2, .*; received"):
        draw_wiring(f'[[indicator.lamps]]\nline = "{line}"\n', "led")


def test_a_heading_that_is_gone_is_told() -> None:
    with pytest.raises(ValueError, match=r"README\.md has no heading ## Nothing"):
        section(ROOT, "README.md", "Nothing")
