"""Fixtures that every app's tests share. The cast stands in the apps' factories."""
