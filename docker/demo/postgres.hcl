# Tags give roles to the instances of one service:
#   primary.postgres.service.consul    where to write
#   replica.postgres.service.consul    where to read
#   postgres.service.consul            any of them

services {
  id      = "postgres-1"
  name    = "postgres"
  address = "198.51.100.21"
  port    = 5432
  tags    = ["primary"]

  meta {
    version = "15"
  }
}

services {
  id      = "postgres-2"
  name    = "postgres"
  address = "198.51.100.22"
  port    = 5432
  tags    = ["replica"]

  meta {
    version = "15"
  }
}

services {
  id      = "postgres-3"
  name    = "postgres"
  address = "198.51.100.23"
  port    = 5432
  tags    = ["replica", "backup"]

  meta {
    version = "15"
  }
}
