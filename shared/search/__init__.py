"""What a search engine stores of a product, and how texts become words: the same for every engine."""
