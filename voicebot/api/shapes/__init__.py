"""What goes over the API, in and out: the contract with the pages, whose types are made from these.

Times are aware and in UTC; durations are seconds unless a name says otherwise. What comes in refuses unknown fields.
"""
