data_dir = "/var/lib/consul"
node_id = "abc"
