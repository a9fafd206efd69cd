"""Expressions of OpenSCENARIO 1.1 to 1.3: the text between `${` and `}`.

Numbers, `true`, `false`, `pi` and `e`, parameters `$name`; `+ - * / %` and unary minus; comparison
`< <= > >= == !=`, `not`, `and`, `or`; the functions of `FUNCTIONS`. `%` has the sign of its right
side, as in Python. Nothing else is read, and nothing is ever handed to Python's own evaluator.
"""

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from marque.core.errors import MarqueError

Value = float | bool | str

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<parameter>\$[A-Za-z_]\w*)"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<sign><=|>=|==|!=|&&|\|\||[-+*/%(),<>!]))"
)
CONSTANTS: Mapping[str, Value] = MappingProxyType(
    {"pi": math.pi, "e": math.e, "true": True, "false": False}
)
DEEPEST = 100  # brackets within brackets


class NotANumber(MarqueError):
    """An expression that cannot be evaluated; whoever knows the place says it again with it."""


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


def _round(x: float) -> float:
    """Halves go away from zero, as in the standard's host languages."""
    return math.copysign(math.floor(abs(x) + 0.5), x)


FUNCTIONS: Mapping[str, tuple[int, Callable[..., float]]] = MappingProxyType(
    {
        "round": (1, _round),
        "floor": (1, math.floor),
        "ceil": (1, math.ceil),
        "sqrt": (1, math.sqrt),
        "pow": (2, math.pow),
        "abs": (1, abs),
        "sign": (1, _sign),
        "max": (2, max),
        "min": (2, min),
        "sin": (1, math.sin),
        "cos": (1, math.cos),
        "tan": (1, math.tan),
        "asin": (1, math.asin),
        "acos": (1, math.acos),
        "atan": (1, math.atan),
        "atan2": (2, math.atan2),
    }
)


def evaluate(text: str, parameters: Mapping[str, Value]) -> Value:
    """The value of an expression. NotANumber: it has none, or it uses what is not declared."""
    reader = _Reader(text, parameters)
    value = reader.either()
    if reader.at < len(reader.tokens):
        raise reader.error(f"stops at '{reader.tokens[reader.at]}'")
    if isinstance(value, float) and not math.isfinite(value):
        raise reader.error("is not finite")
    return value


class _Reader:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str, parameters: Mapping[str, Value]) -> None:
        self.text = text
        self.parameters = parameters
        self.tokens = self._tokens()
        self.at = 0
        self.depth = 0

    def error(self, what: str) -> NotANumber:
        return NotANumber(f"expression '{self.text.strip()}' {what}")

    def _tokens(self) -> list[str]:
        tokens: list[str] = []
        at, text = 0, self.text.rstrip()
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                raise self.error(f"has '{text[at:].strip()[:10]}', which is no part of one")
            tokens.append(match.group().strip())
            at = match.end()
        return tokens

    def take(self, *wanted: str) -> str:
        """The next token if it is one of `wanted`, else ""."""
        if self.at < len(self.tokens) and self.tokens[self.at] in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def either(self) -> Value:
        left = self.both()
        while self.take("or", "||"):
            right = self.both()
            left = self.truth(left) | self.truth(right)
        return left

    def both(self) -> Value:
        left = self.inverse()
        while self.take("and", "&&"):
            right = self.inverse()
            left = self.truth(left) & self.truth(right)
        return left

    def inverse(self) -> Value:
        if self.take("not", "!"):
            return not self.truth(self.deeper(self.inverse))
        return self.comparison()

    def comparison(self) -> Value:
        left = self.sum()
        sign = self.take("<", "<=", ">", ">=", "==", "!=")
        if not sign:
            return left
        right = self.sum()
        if sign in ("==", "!="):
            if type(left) is not type(right):
                raise self.error(f"compares {left!r} with {right!r}")
            return (left == right) == (sign == "==")
        a, b = self.number(left), self.number(right)
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]

    def sum(self) -> Value:
        left = self.product()
        while sign := self.take("+", "-"):
            right = self.number(self.product())
            left = self.number(left) + (right if sign == "+" else -right)
        return left

    def product(self) -> Value:
        left = self.signed()
        while sign := self.take("*", "/", "%"):
            a, b = self.number(left), self.number(self.signed())
            if sign != "*" and b == 0.0:
                raise self.error("divides by zero")
            left = a * b if sign == "*" else a / b if sign == "/" else a % b
        return left

    def signed(self) -> Value:
        if self.take("-"):
            return -self.number(self.deeper(self.signed))
        if self.take("+"):
            return self.number(self.deeper(self.signed))
        return self.operand()

    def operand(self) -> Value:
        if self.at >= len(self.tokens):
            raise self.error("ends too early")
        token = self.tokens[self.at]
        self.at += 1
        if token == "(":
            value = self.deeper(self.either)
            self.close()
            return value
        if token.startswith("$"):
            return self.parameter(token[1:])
        if token[0].isdigit() or token[0] == ".":
            return float(token)
        if token in FUNCTIONS:
            return self.call(token)
        if token in CONSTANTS:
            return CONSTANTS[token]
        known = ", ".join((*CONSTANTS, *FUNCTIONS))
        raise self.error(f"has '{token}'; have [{known}]")

    def call(self, name: str) -> float:
        count, function = FUNCTIONS[name]
        if not self.take("("):
            raise self.error(f"lacks '(' after {name}")
        values = [self.number(self.deeper(self.either))]
        while self.take(","):
            values.append(self.number(self.deeper(self.either)))
        self.close()
        if len(values) != count:
            raise self.error(f"gives {name} {len(values)} values; it takes {count}")
        try:
            return float(function(*values))
        except (ValueError, OverflowError):
            shown = ", ".join(f"{value:g}" for value in values)
            raise self.error(f"has no value: {name}({shown})") from None

    def close(self) -> None:
        if not self.take(")"):
            raise self.error("lacks ')'")

    def deeper(self, part: Callable[[], Value]) -> Value:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"is nested more than {DEEPEST} deep")
        value = part()
        self.depth -= 1
        return value

    def parameter(self, name: str) -> Value:
        if name not in self.parameters:
            have = ", ".join(sorted(self.parameters))
            raise self.error(f"uses the unknown parameter '{name}'; have [{have}]")
        return self.parameters[name]

    def number(self, value: Value) -> float:
        if isinstance(value, bool) or not isinstance(value, float):
            raise self.error(f"computes with {value!r}, which is no number")
        return value

    def truth(self, value: Value) -> bool:
        if not isinstance(value, bool):
            raise self.error(f"takes {value!r} for true or false")
        return value
