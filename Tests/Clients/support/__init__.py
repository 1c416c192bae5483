"""What tests with clients of Heroku Connect share: the database as an application sees it, and the clients' environments."""
