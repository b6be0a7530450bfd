data_dir = "/var/lib/consul"
node_name = "first"
recursors = ["1.1.1.1"]
ports { dns = 8601, http = 8501 }
node_meta { a = "1" b = "1" }
service { name = "a" }
