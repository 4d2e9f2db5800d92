"""Settings: the option before the environment before the file before the default; mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitrina.config import SETTINGS, Config, load_config
from vitrina.errors import UsageError


def test_defaults(tmp_path: Path) -> None:
    config = load_config({"XDG_DATA_HOME": str(tmp_path)})
    assert config.max_megapixels == 120
    assert not config.debug
    assert config.home.name.lower() == "vitrina"


def test_the_option_goes_before_the_environment(tmp_path: Path) -> None:
    env = {"VITRINA_HOME": str(tmp_path / "env")}
    assert load_config(env).home == tmp_path / "env"
    assert load_config(env, home=tmp_path / "option").home == tmp_path / "option"


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "vitrina.toml").write_text("[intake]\nmax_megapixels = 50\n", "utf-8")
    assert load_config({}, home=tmp_path).max_megapixels == 50
    assert load_config({"VITRINA_MAX_MEGAPIXELS": "30.5"}, home=tmp_path).max_megapixels == 30.5


@pytest.mark.parametrize("value", ["0", "-3", "many", "nan", "inf", "10001", "1e9"])
def test_a_wrong_number_is_named_with_what_is_wanted(value: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_config({"VITRINA_MAX_MEGAPIXELS": value}, home=tmp_path)
    assert value in str(caught.value)
    assert "megapixels" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[intake]\nmax_megapixel = 50\n", "max_megapixel"),
        ("[outtake]\n", "outtake"),
        ("this is no toml", "TOML"),
        ("[intake]\nmax_megapixels = 'a lot'\n", "a lot"),
    ],
)
def test_a_wrong_file_is_refused_not_ignored(text: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "vitrina.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=word):
        load_config({}, home=tmp_path)


def test_a_home_that_is_a_file_is_left_to_whoever_writes_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert load_config({}, home=tmp_path / "file").home == tmp_path / "file"


def test_debug(tmp_path: Path) -> None:
    assert load_config({"VITRINA_DEBUG": "1"}, home=tmp_path).debug
    assert not load_config({"VITRINA_DEBUG": "0"}, home=tmp_path).debug


def test_config_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        Config(tmp_path).debug = True  # type: ignore[misc]


def test_every_variable_in_the_source_is_listed() -> None:
    source = Path(__file__).parents[1] / "src" / "vitrina"
    import re

    read = set()
    for path in source.rglob("*.py"):
        read |= set(re.findall(r"VITRINA_[A-Z_]+[A-Z]", path.read_text("utf-8")))
    assert read <= set(SETTINGS)
