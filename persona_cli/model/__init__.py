"""The models: what the loop asks of one (tasks), the built-in one (lite), and one made of prompts (prompted)."""
