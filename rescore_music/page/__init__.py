"""The Streamlit page, room by room: what it asks, how it runs, what it shows. app.py puts them together."""
