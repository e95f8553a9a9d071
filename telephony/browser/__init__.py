"""Browsers' audio: agents who talk and supervisors who listen, over WebRTC."""
