"""MoneyField: Decimal outside, bigint ten-thousandths inside, so that sums are exact on every database."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core import validators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Func
from django.forms import DecimalField as DecimalFormField

UNITS = Decimal(10_000)
LARGEST = Decimal(2**63 - 1) / UNITS


def to_units(value: Any) -> int:
    """Ten-thousandths of an amount; floats and finer amounts are refused.

    >>> to_units(Decimal("15.58"))
    155800
    """
    if isinstance(value, (float, bool)):
        raise ValidationError("An amount is a Decimal, never a float.", code="float")
    try:
        exact = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise ValidationError("An amount is a decimal number.", code="invalid") from None
    if not exact.is_finite() or abs(exact) > LARGEST:
        raise ValidationError("The amount is out of range.", code="range")
    units = exact * UNITS
    if units != units.to_integral_value():
        raise ValidationError("The amount is finer than a ten-thousandth.", code="too_fine")
    return int(units)


def from_units(units: int) -> Decimal:
    """The amount of so many ten-thousandths.

    >>> from_units(155800)
    Decimal('15.5800')
    """
    return Decimal(units).scaleb(-4)


class MoneyField(models.Field[Any, Any]):
    """An amount; the currency stands in a column beside it.

    A Field of its own rather than a BigIntegerField, so that an expression which would mix
    units (money times money, money plus a plain number) fails loudly.
    """

    description = "An amount of money"

    def db_type(self, connection: Any) -> str:
        return "bigint"

    def get_internal_type(self) -> str:
        return "MoneyField"

    def rel_db_type(self, connection: Any) -> str:
        return "bigint"

    def from_db_value(self, value: int | None, expression: Any, connection: Any) -> Decimal | None:
        return None if value is None else from_units(int(value))

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or value == "":
            return None
        to_units(value)
        return Decimal(value)

    def get_prep_value(self, value: Any) -> int | None:
        value = super().get_prep_value(value)
        return None if value is None else to_units(value)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": DecimalFormField, "decimal_places": 4, "max_digits": 19, **kwargs})

    @property
    def validators(self) -> list[Any]:
        return [*super().validators, validators.MaxValueValidator(LARGEST)]


class Signed(Func):
    """The amount of an expression with its sign turned."""

    template = "-(%(expressions)s)"
    arity = 1

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, output_field=MoneyField())


__all__ = ["MoneyField", "Signed", "from_units", "to_units"]
