from batchspec.render.suggest import suggestion


def test_a_close_name_is_suggested_else_what_there_is() -> None:
    assert suggestion("inptu", ["output", "input"]) == "; did you mean 'input'?"
    assert suggestion("x", ["output", "input"]) == "; there are: input, output"
    assert suggestion("x", []) == "; there are none"
    many = [f"name{number:02}" for number in range(12)]
    assert suggestion("x", many) == f"; there are: {', '.join(many[:10])}, ..."
