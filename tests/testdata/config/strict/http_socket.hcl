data_dir = "/var/lib/consul"
addresses { http = "unix:///run/http.sock" }
