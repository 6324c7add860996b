"""`exile-tui demo`: a throw-away relay, you, and a contact who answers; nothing of it stays.

`main` is the person's own process with the screen, `contact` a second messenger in a child of it,
`relay` the relay in a child of that. A pipe that only the first one can write to reaches both
children: when it closes, however that came about, each of them ends and removes the directory that
all three live in (`place`). `script` is what the contact says. Nobody but the command line imports
this package.
"""
