"""Several strategies in one run: what each sees, and the table by which the loop calls them (csrc/nt_team.h)."""

from libc.stdlib cimport calloc, free

import numpy as np

from ..errors import InputError
from . import blocks, convert, convert_ticks
from .layouts import EVENT_CALLS

from .context cimport Context, Run
from .engine cimport Engine, caught, unwrapped
from .flags cimport signal_arrays
from .native cimport *


cdef int64_t call_member(nt_context* ctx, void* user) noexcept:
    """nt_strategy_fn: one call of a member in Python. The GIL is held."""
    cdef Engine engine = <Engine>ctx.engine.callback_user
    cdef Member member = <Member>user
    try:
        member.on_bar(member.context)
        return 0
    except BaseException as error:
        return caught(engine, error)


cdef int64_t resume_member(nt_context* ctx, void* user) noexcept:
    """The same of a member whose on_bar stays: it goes on to its next `yield`."""
    cdef Engine engine = <Engine>ctx.engine.callback_user
    cdef Member member = <Member>user
    try:
        next(member.resident)
        return 0
    except BaseException as error:
        return caught(engine, unwrapped(error))


cdef int64_t call_tick_member(nt_context* ctx, void* user) noexcept:
    """The same over ticks: on_quote, on_trade or on_depth."""
    cdef Engine engine = <Engine>ctx.engine.callback_user
    cdef Member member = <Member>user
    try:
        member.on_event[ctx.event](member.context)
        return 0
    except BaseException as error:
        return caught(engine, error)


cdef class Member:
    """One strategy: its own context, state, parameters and texts over the one run."""

    cdef Context context
    cdef object on_bar
    cdef object start
    cdef object resident
    cdef tuple on_event
    cdef nt_signal_arrays arrays


cdef class Team:
    """The strategies of `engine`, which was made with strategies=count: give each what it needs, then `join` it.

    A member that was given nothing is refused by `join`. It holds the run, not the engine: the engine holds it.
    Raises InputError. Memory: 8 bytes a clock step and member.
    """

    cdef Run run
    cdef nt_team team
    cdef list members
    cdef list borrowed
    cdef object contribution_array
    cdef bint needs_gil

    def __cinit__(self, Engine engine not None, Py_ssize_t count):
        cdef int32_t markets = engine.run.market_count
        if not 0 < count <= markets or markets % count != 0:
            raise InputError(f"count must be that of the engine's strategies, was {count}")
        self.team.members = <nt_member*>calloc(count, sizeof(nt_member))
        if self.team.members == NULL:
            raise MemoryError(f"Team: {count} strategies")
        self.team.count, self.team.symbol_count = count, markets // count
        self.run, self.members, self.borrowed = engine.run, [], []
        cdef Member member
        for index in range(count):
            member = Member.__new__(Member)
            member.context = Context(engine.run)
            member.context.first_slot = index * self.team.symbol_count
            self.members.append(member)

    def __dealloc__(self):
        free(self.team.members)

    def context(self, Py_ssize_t member):
        """What that strategy sees."""
        return (<Member>self.members[member]).context

    def set_member(self, Py_ssize_t member, parameters, Py_ssize_t state_size, calls=()):
        """Its numbers, float64[m], copied, and a block of `state_size` zeros. calls : of EVENT_CALLS, over ticks what it is called for."""
        cdef nt_member* row = &self.team.members[member]
        cdef Context context = (<Member>self.members[member]).context
        cdef double[::1] numbers = np.array(parameters, np.float64).reshape(-1)
        cdef double[::1] state = np.zeros(state_size)
        row.parameters = &numbers[0] if numbers.shape[0] else NULL
        row.parameter_count = numbers.shape[0]
        row.state = &state[0] if state_size else NULL
        row.state_count = state_size
        row.called = convert_ticks.called(calls)
        self.borrowed += [numbers.base, state.base]
        context.parameter_view = memoryview(numbers.base).toreadonly()
        context.state_view = memoryview(state.base)

    def bind_python(self, Py_ssize_t member, on_bar, start=None):
        """It is on_bar(context); where `start` is given, `join` makes start(context), a generator, which is resumed instead."""
        cdef Member one = self.members[member]
        one.on_bar, one.start = on_bar, start
        self.needs_gil = True
        self.team.members[member].call = <nt_strategy_fn><void*>(call_member if start is None else resume_member)
        self.team.members[member].user = <void*>one

    def bind_events(self, Py_ssize_t member, on_event):
        """It is on_event["on_quote"](context) and so on, over ticks."""
        cdef Member one = self.members[member]
        one.on_event = tuple(on_event.get(name) for name in EVENT_CALLS)
        self.needs_gil = True
        self.team.members[member].call = <nt_strategy_fn><void*>call_tick_member
        self.team.members[member].user = <void*>one

    def bind_native(self, Py_ssize_t member, address, user=0):
        """It is the nt_strategy_fn at `address`, called with `user`."""
        self.team.members[member].call = <nt_strategy_fn><void*><size_t>address
        self.team.members[member].user = <void*><size_t>user

    def bind_signals(self, Py_ssize_t member, **columns):
        """It trades arrays [n, symbols], as `Engine.bind_signals` takes them."""
        cdef Member one = self.members[member]
        signal_arrays(&one.arrays, self.borrowed, self.run.engine.clock_count, self.team.symbol_count,
                      member * self.team.symbol_count, columns)
        self.team.members[member].call = <nt_strategy_fn>nt_signals_on_bar
        self.team.members[member].user = &one.arrays

    def join(self, Engine engine not None):
        """Bind all of them to the engine that this was made for, which keeps this object from here on."""
        cdef Py_ssize_t index
        if engine.run is not self.run:
            raise InputError("join: another engine than the one the team was made for")
        cdef int64_t count = self.run.engine.clock_count * self.team.count
        for index in range(self.team.count):
            if self.team.members[index].call == NULL:
                raise InputError(f"join: strategy {index} is not bound")
        self.contribution_array = blocks.empty(count)
        cdef double[::1] view = self.contribution_array
        self.team.contributions = &view[0] if count else NULL
        if nt_team_join(self.run.engine, &self.team) != NT_OK:
            raise InputError("join: the run has begun")
        engine.needs_gil = self.needs_gil
        engine.team = self
        for one in self.members:
            self._begin(one)
        nt_context_select(self.run.engine, 0)

    def wait(self, Engine engine not None, int64_t count):
        """Let `count` steps of the clock pass, once joined, in which no strategy is called."""
        if engine.run is not self.run or engine.team is not self:
            raise InputError("wait: join the engine first")
        cdef nt_strategy_fn strategy = self.run.engine.strategy
        cdef void* user = self.run.engine.strategy_user
        engine.bind_signals(None)
        try:
            engine.advance(count)
        finally:
            self.run.engine.strategy, self.run.engine.strategy_user = strategy, user
            engine.needs_gil = self.needs_gil

    cdef int _begin(self, Member one) except -1:
        """Start what stays: by now its indicators are set and its slots are known."""
        if one.start is not None:
            one.resident = one.start(one.context)
        return 0

    @property
    def calling(self):
        """The strategy that was called last."""
        return self.run.engine.context.symbol // self.team.symbol_count

    def contributions(self):
        """float64[clock_count, count]: what each strategy has added to the starting cash at each step, NaN where the run has not come."""
        out = self.contribution_array.reshape(-1, self.team.count)
        if self.run.engine.i < self.run.engine.clock_count:
            out[self.run.engine.i:] = np.nan
        return out

    def books(self):
        """[strategy][symbol] -> integers: the ledger's own (nano units, minor cash), and `value`, of what is held at the last close.

        cash + sum(value) = deposits + interest + sum(realised - fees + flows + value - basis), to the last unit.
        """
        cdef nt_engine* engine = self.run.engine
        cdef Py_ssize_t slot
        cdef int64_t value
        rows = []
        for slot in range(self.run.market_count):
            value = 0
            row = convert.position(engine.ledger.positions[slot])
            if row["quantity"] and nt_ledger_notional(&engine.ledger, slot, row["quantity"], nt_engine_last_price(engine, slot),
                                                      &value) != NT_OK:
                raise InputError(f"what {self.run.symbols[slot]} holds is worth more than int64 holds at these cash digits")
            rows.append({**row, "value": value})
        each = self.team.symbol_count
        return [rows[first:first + each] for first in range(0, len(rows), each)]
