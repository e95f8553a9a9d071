"""Who may do what: users with roles, passwords, sessions, tokens, and the log of what they did."""

from voicebot.access.access import Access
from voicebot.access.model import AuditEntry, Author, NewUser, Role, User, Who, powers
from voicebot.access.sessions import Token

__all__ = ["Access", "AuditEntry", "Author", "NewUser", "Role", "Token", "User", "Who", "powers"]
