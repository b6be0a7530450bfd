data_dir = "/var/lib/consul"
recursors = ["dns.example.com"]
