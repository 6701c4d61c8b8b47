"""The sentence that a user reads when a component fails."""

from contracts.system.errors import ComponentError
from pipeline.local.launching.failure import failure_sentence


def caused_by(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_our_own_errors_speak_for_themselves():
    inner = ComponentError("Trainer: the loss became NaN.")
    assert (
        failure_sentence(caused_by(RuntimeError("wrapped"), inner))
        == "Trainer: the loss became NaN."
    )


def test_beams_remark_is_left_out():
    error = ComponentError("cats/1.jpg: expected a JPEG. [while running 'Transform']")
    assert failure_sentence(error) == "cats/1.jpg: expected a JPEG."


def test_our_error_is_found_in_the_text_of_a_workers_trace():
    text = (
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in process\n'
        "contracts.system.errors.ComponentError: cats/1.jpg: expected a JPEG. "
        "[while running 'Transform']\n"
    )
    assert failure_sentence(RuntimeError(text)) == "cats/1.jpg: expected a JPEG."


def test_a_strangers_error_keeps_its_type_and_loses_its_trace():
    text = "Traceback (most recent call last):\n  File \"x.py\", line 1\nKeyError: 'label'\n"
    assert failure_sentence(RuntimeError(text)) == "KeyError: 'label'"
    assert failure_sentence(ValueError("first line\nsecond line")) == "ValueError: first line"
    assert failure_sentence(MemoryError()) == "MemoryError"
