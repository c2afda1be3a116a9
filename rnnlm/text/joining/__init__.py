"""Whether a space stands between two tokens of prose.

Every token leans on the token before it, on the one after it, on both or on none. A space stands between two
tokens if neither leans on the other. `rules` lists how each mark leans, for the tokens of NLTK's two tokenizers.
Most marks lean in one way only. For the others a function decides by the tokens around, by the quotations and
brackets that are open, and by a bounded number of tokens that follow.
"""
