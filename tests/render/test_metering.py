import pytest

from batchspec.render import metering
from batchspec.render import scope as making
from batchspec.render.guard import TooMuch
from batchspec.render.metering import RUN, SPENT, Work
from batchspec.render.scope import OMIT, Scope
from batchspec.render.suggest import suggestion
from batchspec.render.template import GLOBALS, text_of
from batchspec.render.template_faults import TemplateFault


def test_work_is_paid_for_until_nothing_is_left() -> None:
    work = Work()
    work.spend(metering.MAX_WORK)
    with pytest.raises(TooMuch, match="takes too long: it loops over, reads or makes more than 2,000,000 things"):
        work.spend(1)
    work.start()
    assert list(work.each([1, 2], body=5)) == [1, 2]


def test_what_is_read_costs_as_much_as_it_is_long() -> None:
    work = Work()
    work.read("a" * 1_000_000, range(999_000))
    with pytest.raises(TooMuch):
        work.read("a" * 1_000)


def test_the_templates_of_one_spec_share_what_it_may_cost() -> None:
    render = text_of("{% for i in range(9999) %}{% endfor %}")
    names = GLOBALS
    with RUN.limited(100_000):
        assert render(names) == ""
        with pytest.raises(TemplateFault, match=r"the spec takes too long to render.*or say --allow-large"):
            [render(names) for _ in range(9)]
        spent = RUN.is_spent
    assert (spent, RUN.is_spent) == (True, False)
    assert [render(names) for _ in range(9)] == [""] * 9


def test_tasks_of_a_usual_size_earn_what_they_cost_and_huge_ones_do_not() -> None:
    with RUN.limited(100_000):
        for _ in range(1_000):
            RUN.spend(500)
            RUN.task(2_000)
        assert not RUN.is_spent
        for _ in range(1_000):
            RUN.task(1_000_000)
        assert RUN.is_spent


def test_what_stands_between_braces_is_limited_and_what_stands_around_them_is_not() -> None:
    long = "x" * metering.MAX_TAG_CHARACTERS
    assert text_of(f"{long}{{{{ 1 }}}}{long}")({}) == f"{long}1{long}"
    for source in (f"{{{{ '{long}' }}}}", f"{{% if '{long}", "{{ 1 }}" * 2_000):
        with pytest.raises(TemplateFault, match="has more than 10,000 characters between braces"):
            text_of(source)


def test_a_spec_that_has_spent_all_is_told_so_once_and_no_more_of_it_is_made() -> None:
    scope = Scope({})
    sources = [f"{{{{ {number} }}}}" for number in range(10_000)]
    with RUN.limited(1_000_000):
        made = [making.text(source, ("vars",), scope)(scope) for source in sources]
        assert making.native("{{ 1 }}", (), scope, lambda value, _: value)(scope) is OMIT
    assert made[:100] == [str(number) for number in range(100)]
    assert made[-1] is OMIT
    assert [fault.message == SPENT for fault in scope.faults] == [True] * len(scope.faults)
    assert 1 <= len(scope.faults) < 200


def test_the_nearest_of_thousands_of_names_is_looked_for_while_the_spec_can_pay() -> None:
    names = [f"name{number}" for number in range(5_000)]
    with RUN.limited(1_000_000):
        told = [suggestion("nam4999", names) for _ in range(20)]
    assert told[:5] == ["; did you mean 'name4999'?"] * 5
    assert told[-1].startswith("; there are: name0, name1, ")
