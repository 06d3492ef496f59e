"""HTML of others becomes text that reads as it looked, and nothing of it can act."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import markup


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>My feed is <b>broken</b>.</p><p>Help?</p>", "My feed is broken.\n\nHelp?"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("a &amp; b &lt;script&gt;", "a & b <script>"),
        ("<style>p{}</style><script>alert(1)</script>seen<head><title>no</title></head>", "seen"),
        ("<svg><title>x</title><script>y</script></svg>after", "after"),
        ("<ul><li>one</li><li>two <i>x</i></li></ul>", "- one\n- two x"),
        ("<p>new</p><blockquote><p>old</p><blockquote>older</blockquote></blockquote>",
         "new\n\n> old\n\n> > older"),
        ('see <a href="https://otter.example/a">the page</a>.', "see the page (https://otter.example/a)."),
        ('<a href="https://otter.example/a"><span>https://</span><span>otter.example/a</span></a>',
         "https://otter.example/a"),
        ('<a href="https://m.example/@shop">@<span>shop</span></a> hello', "@shop hello"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ('<a href="https://otter.example/"><img src="x"></a>', "https://otter.example/"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<div><div>x</div></div>\n   <div>y</div>", "x\ny"),
        ("<!-- no --><p>yes", "yes"),
        ("plain words", "plain words"),
    ],
)  # fmt: skip
def test_html_reads_as_it_looked(html: str, text: str) -> None:
    assert markup.text_of(html) == text


@given(st.text(alphabet="<>/!-[]&;abp=\"' \n?", max_size=60))
def test_nothing_breaks_the_reader(html: str) -> None:
    assert isinstance(markup.text_of(html), str)


@pytest.mark.parametrize("piece", ["<a ", "<a b='", "<!--", "<!--a>", "<!", "</", "<![CDATA["])
def test_what_never_ends_is_not_looked_for_over_and_over(piece: str) -> None:
    assert markup.text_of("<p>Hello</p>" + piece * (200_000 // len(piece))).startswith("Hello\n")


def test_words_behind_the_last_element_are_read() -> None:
    assert markup.text_of("<p>One</p>1 &lt; 2 < 3 <b") == "One\n\n1 < 2 < 3 <b"
    assert markup.text_of("<script>var a = 1") == ""
    assert markup.text_of("<script><!--\na()</script>Hello") == "Hello"


def test_a_thousand_quotations_are_not_a_thousand_marks() -> None:
    assert markup.text_of("<blockquote>" * 1000 + "x") == "> " * markup.DEPTH_MAX + "x"
