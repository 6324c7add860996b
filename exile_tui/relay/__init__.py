"""The relay: holds padded ciphertext under random ids until it is fetched, and knows no more.

`engine` is the port behind which everything is stored, `sqlite` the engine of one machine (with a
`journal` for what came in last), `handlers` what the endpoints do, `server` the one file that knows
granian. docs/protocol.md, section 8, is what all of it implements.
"""
