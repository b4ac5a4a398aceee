import pytest

from batchspec.render import metering
from batchspec.render.guard import TooMuch
from batchspec.render.metering import RUN, Work
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
