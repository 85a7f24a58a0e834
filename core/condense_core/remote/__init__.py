"""Runs on another machine over the system's ssh: the protocol, the server there, the client and the mirror here."""
