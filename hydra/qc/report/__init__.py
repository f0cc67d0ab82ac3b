"""The page that a full check or a storm leaves: one file that a person can read, print and send, made from the JSON document.

    html      elements: everything that is not markup already is escaped
    style     its only style sheet
    plot      how long cycles took, drawn
    parts     tables, figures and lists
    trials    a section for every trial
    page      the whole of it

Pure: documents in, text out. The page loads nothing from anywhere, runs no script, and forbids the browser both.
"""
