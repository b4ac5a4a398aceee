from hypothesis import given
from hypothesis import strategies as st

from batchspec.render.id_index import IdIndex


@given(st.lists(st.text(max_size=3)))
def test_it_finds_what_is_there_and_what_is_there_twice(texts: list[str]) -> None:
    index = IdIndex()
    for number, text in enumerate(texts):
        index.add(text, number)
    assert [index.find(text) for text in texts] == [texts.index(text) for text in texts]
    assert index.find("four") is None
    assert sorted(index.doubled()) == [number for number, text in enumerate(texts) if texts.count(text) > 1]
