"""Tokens that read differently beside others, and some that look as if they did."""

SPACED = """
the cat can not gon na lem me wan gim got ta more d s t re ve was is https 10 🤗 हिन्दी ſ İ \u0301
n't 's 't 'll 'n 'ye ' '' `` " . .. ... .... , : ; ! ? ( ) [ ] { } < > $ # % -- - / @ & *
’ ‘ “ ” « » „ … //x foo-bar a. .a a, ,a a' 'a can- -can can't n'ts (a a) #a $a
"""
WORDS = [*SPACED.split(), "-- ", "a b", " a", "a ", "\n", "▁", "▁the", "漢"]
