"""Models in the seats: asked over the wire, within a deadline and a budget, and recorded.

client      one request to one model, through pydantic-ai (extra ``llm``), with what went over the wire kept
failures    which failure an answer stands for, whether to try again, and when: a table
answers     the strict form of an answer
exchange    what was sent and heard, and the vote that comes out of it: a pure function
gladiator   a model in a seat: up to three attempts within one deadline
budget      reserved before every call, settled after it, kept in a file
recordings  exchanges by the hash of what was asked
replaying   a seat that answers from recordings, without a call
panel       all seats at once, always done by the deadline
scrub       secrets taken out of text
"""
