"""What people care about, think and stand for (attitudes, interests, opinions), each with the words that show it."""
