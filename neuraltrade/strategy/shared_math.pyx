"""Powers and transcendental functions, the same C functions that nt_api hands to compiled strategies.

CPython's and numba's own differ in the last bit, which is enough to move a decision. These follow C: no exceptions, NaN
outside the domain, infinity on overflow.
"""

from libc cimport math as c


def pow(double x, double y):
    """x to the power y, a float always."""
    return c.pow(x, y)


def square(x):
    """x * x: what `x**2` is in both modes; an int stays one."""
    return x * x


def exp(double x):
    """e to the power x."""
    return c.exp(x)


def log(double x):
    """Natural logarithm; NaN below zero, -inf at zero."""
    return c.log(x)


def sin(double x):
    """Sine of x radians."""
    return c.sin(x)


def cos(double x):
    """Cosine of x radians."""
    return c.cos(x)


def tan(double x):
    """Tangent of x radians."""
    return c.tan(x)


def tanh(double x):
    """Hyperbolic tangent."""
    return c.tanh(x)
