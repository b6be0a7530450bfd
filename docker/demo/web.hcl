# Four instances of one service. DNS hands out those that are not critical:
#   dig @127.0.0.1 -p 8600 web.service.consul          addresses
#   dig @127.0.0.1 -p 8600 web.service.consul SRV      addresses and ports
#   dig @127.0.0.1 -p 8600 v2.web.service.consul       one tag only
#   dig @127.0.0.1 -p 8600 _web._tcp.service.consul SRV   the RFC 2782 name

services {
  id      = "web-1"
  name    = "web"
  address = "192.0.2.11"
  port    = 8080
  tags    = ["v1", "http"]

  meta {
    version = "1.9.2"
  }

  # SRV carries the weight that goes with the instance's health.
  weights {
    passing = 10
    warning = 1
  }

  # A TTL check believes what its owner last reported and falls to critical
  # when the owner is silent for longer than `ttl`. Nobody reports in a demo,
  # hence the year.
  check {
    id     = "web-1-alive"
    name   = "web-1 answers"
    ttl    = "8760h"
    status = "passing"
  }
}

services {
  id      = "web-2"
  name    = "web"
  address = "192.0.2.12"
  port    = 8080
  tags    = ["v1", "http"]

  meta {
    version = "1.9.2"
  }

  weights {
    passing = 10
    warning = 1
  }

  # Warning: still handed out, with the smaller weight. dns_config
  # { only_passing = true } would leave it out.
  check {
    id     = "web-2-alive"
    name   = "web-2 answers"
    notes  = "Slow since this morning."
    ttl    = "8760h"
    status = "warning"
  }
}

services {
  id      = "web-3"
  name    = "web"
  address = "192.0.2.13"
  port    = 8081
  tags    = ["v2", "http"]

  meta {
    version = "2.0.0"
  }

  weights {
    passing = 5
    warning = 1
  }

  # No check at all counts as passing.
}

services {
  id      = "web-4"
  name    = "web"
  address = "192.0.2.14"
  port    = 8081
  tags    = ["v2", "http"]

  # Critical: never in an answer. Change the status, run `dnsd reload`, and
  # v2.web.service.consul has two addresses.
  check {
    id     = "web-4-alive"
    name   = "web-4 answers"
    ttl    = "8760h"
    status = "critical"
  }
}
