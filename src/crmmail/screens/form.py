"""A form over a screen: the fields of a record, saved together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Label, TextArea

from crmmail.errors import CrmmailError
from crmmail.screens.question import TypingScreen
from crmmail.screens.undo import Do, FieldError, Undo
from crmmail.text import block, one_line
from crmmail.widgets.key_line import KeyLine
from crmmail.widgets.leaving import Whole
from crmmail.widgets.lines import Wrapped
from crmmail.widgets.picker import Choice, Find, Picker
from crmmail.widgets.pieces import safe

Value = str | int | None
Values = Mapping[str, Value]
"""What a form holds: text of a line or an area, the id of what was picked or None."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: a line, an area of `height` lines, or with `find` a record that is picked."""

    key: str
    title: str
    value: str = ""
    hint: str = ""
    height: int = 1
    find: Find | None = None
    chosen: Choice | None = None
    typed: str | None = None
    """What already stands in it and is not stored yet, where that is not the value."""

    @property
    def start(self) -> Value:
        """What the form holds before anything is typed."""
        if self.find is not None:
            return self.chosen.id if self.chosen else None
        return self.text

    @property
    def shown(self) -> str:
        """What stands in the field before anything is typed."""
        return (self.chosen.name if self.chosen else "") if self.find is not None else self.text

    @property
    def text(self) -> str:
        """The text that the field starts with."""
        return block(self.value) if self.height > 1 else one_line(self.value)


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked, and what to do with the answers."""

    title: str
    fields: Sequence[Field]
    save: Callable[[Values], Undo | None]
    words: Callable[[Values], str]
    then: Callable[[], object] | None = None


class LineField(Input):
    """A field of one line."""


class AreaField(TextArea):
    """A field of several lines; tab leaves it. ctrl+_ takes typing back: ctrl+z suspends."""

    BINDING_GROUP_TITLE = "Text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+underscore",
            "undo",
            "Undo typing",
            show=False,
            id="form.undo",
            tooltip="Take typing in a text of several lines back",
        ),
        Binding(
            "ctrl+j",
            "new_line",
            "New line",
            show=False,
            id="form.new_line",
            tooltip="Begin a line in a text of several lines, as enter does",
        ),
    ]

    def on_mount(self) -> None:
        self.move_cursor(self.document.end)

    def action_new_line(self) -> None:
        """Begin a new line: programs that type a text send a line feed where a person has enter."""
        self.replace("\n", *self.selection)


class FormScreen(TypingScreen, Whole, ModalScreen[None], inherit_bindings=False):
    """Asks for the fields of a record."""

    BINDING_GROUP_TITLE = "Form"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="form.save", tooltip="Save and close", priority=True),
        Binding(
            "escape",
            "leave",
            "Cancel",
            id="form.leave",
            tooltip="Close without saving; asks if something was typed",
        ),
        Binding("tab", "next_field", "Next field", id="form.next", priority=True),
        Binding(
            "shift+tab", "last_field", "Previous field", show=False, id="form.last", priority=True
        ),
    ]
    DEFAULT_CSS = """
    FormScreen {
        align: center middle;
        background: black 30%;
        #form {
            width: 76; max-width: 96%; height: auto; max-height: 96%;
            border: round $accent; border-title-color: $accent; border-title-align: right;
            background: $background; padding: 0 1;
        }
        .field { height: auto; }
        Label { width: 14; color: $foreground 60%; }
        .value { width: 1fr; height: auto; margin-bottom: 1; }
        .error { padding: 0; display: none; }
        LineField {
            height: 1; border: none; background: $panel;
            &.-textual-compact { padding: 0 1; }
        }
        LineField:focus { border: none; background: $panel-lighten-1; }
        AreaField { border: none; padding: 0 1 0 0; background: $panel; }
        AreaField:focus { border: none; background: $panel-lighten-1; }
        KeyLine { background: $background; }
    }
    """

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self._saving = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="form", can_focus=False) as box:
            box.border_title = Content(safe(self.form.title))
            for field in self.form.fields:
                with Horizontal(classes="field"):
                    yield Label(field.title, markup=False)
                    with Vertical(classes="value"):
                        yield _widget(field)
                        yield Wrapped(id=f"error-{field.key}")
        yield KeyLine()

    def on_mount(self) -> None:
        for error in self.query(Wrapped):
            error.add_class("error")
        self.focus_field(self.form.fields[0].key)

    def focus_field(self, key: str) -> None:
        """Give the keys to a field."""
        widget = self.query_one(f"#field-{key}")
        (widget.line if isinstance(widget, Picker) else widget).focus()

    def values(self) -> dict[str, Value]:
        """What stands in the form; an error when a name was typed that nothing has."""
        return {field.key: self._value(field) for field in self.form.fields}

    def _value(self, field: Field) -> Value:
        widget = self.query_one(f"#field-{field.key}")
        if isinstance(widget, Picker):
            if widget.chosen is None and widget.typed:
                raise FieldError(
                    field.key,
                    f"No {field.title.lower()} is chosen.",
                    "Choose one from the list with enter, or leave it empty.",
                )
            return widget.chosen.id if widget.chosen else None
        return widget.text if isinstance(widget, TextArea) else _line(widget)

    def action_save(self) -> None:
        """Save what was changed and close."""
        if self.is_storing:
            return
        self._say_nothing()
        try:
            values = self.values()
        except FieldError as problem:
            self.failed(problem)
            return
        if all(values[field.key] == field.start for field in self.form.fields):
            self.dismiss()
            return
        self._saving = True
        words = self.form.words(values)
        save = self.form.save
        self.post_message(Do(words, lambda: save(values), self._saved, self.failed))

    def _saved(self) -> None:
        self.stored(self.form.then)

    @property
    def is_storing(self) -> bool:
        return self._saving  # from then on: what is stored is not stored again

    def failed(self, problem: CrmmailError) -> bool:
        """Say beside its field why something cannot be stored; False when the form was left."""
        self._saving = False
        if self not in self.app.screen_stack:
            return False
        keys = [field.key for field in self.form.fields]
        wanted = problem.field if isinstance(problem, FieldError) else ""
        key = wanted if wanted in keys else keys[0]
        said = [((text, "bad"),) for text in (str(problem), problem.hint) if text]
        error = self.query_one(f"#error-{key}", Wrapped)
        error.show(*said)
        error.display = True
        self.focus_field(key)
        self.call_after_refresh(error.scroll_visible, animate=False)
        return True

    @property
    def is_changed(self) -> bool:
        return any(
            _typed(self.query_one(f"#field-{field.key}")) != field.shown
            for field in self.form.fields
        )

    def unsaved(self) -> str:
        found = []
        for field in self.form.fields:
            with suppress(Exception):  # an error may have left it in pieces: others have their text
                typed = _typed(self.query_one(f"#field-{field.key}"))
                if typed not in ("", field.shown):
                    found.append(f"{field.title}: {typed}")
        return "\n".join([self.form.title, *found]) if found else ""

    def _say_nothing(self) -> None:
        for error in self.query(Wrapped):
            error.display = False

    def action_leave(self) -> None:
        """Close the form without saving; not while it is saved."""
        if self.is_storing:
            self.notify("This is being stored. The form closes when it is.", timeout=3)
            return
        self.discard(self.dismiss)

    def action_next_field(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_last_field(self) -> None:
        """Go to the field before."""
        self.focus_previous()


def _widget(field: Field) -> Widget:
    name = f"field-{field.key}"
    if field.find is not None:
        return Picker(field.find, field.chosen, placeholder=field.hint, id=name)
    if field.height > 1:
        text = field.text if field.typed is None else block(field.typed)
        area = AreaField(text, id=name, placeholder=field.hint, tab_behavior="focus")
        area.styles.height = field.height
        area.cursor_blink = False
        return area
    line = LineField(field.text, field.hint, id=name, compact=True, select_on_focus=False)
    line.cursor_blink = False
    return line


def _typed(widget: Widget) -> str:
    if isinstance(widget, Picker):
        return widget.typed if widget.chosen is None else widget.chosen.name
    return widget.text if isinstance(widget, TextArea) else _line(widget)


def _line(widget: Widget) -> str:
    return widget.value if isinstance(widget, Input) else ""


def lines_of(value: Value) -> Iterator[str]:
    """The lines of an area that hold something."""
    return (line.strip() for line in str(value or "").splitlines() if line.strip())
