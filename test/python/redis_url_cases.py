"""Prints test/cli/redis-url-cases.json: what redis-py makes of each URL. Needs the redis package (written with 4.3.4).

    python3 test/python/redis_url_cases.py > test/cli/redis-url-cases.json

A URL that redis-py cannot use, at parsing or at connecting, has the result null.
"""
import json
import ssl

from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url

URLS = """
redis://
redis://h
redis://h:6380
redis://h:6380/2
redis://h/2?db=3
redis://h/0/1
redis://h/1/0/
redis://h//2
redis://h/
redis://h/?db=4
redis://h/%32
redis://h/%2F2
redis://h/abc
redis://h/-1
redis://h/1_0
redis://h/+2
redis://h/%202
redis://h/2;x
redis://h?db=1_0
redis://h?db=%202%20
redis://h?db=
redis://h?db=&db=2
redis://h?db=2&db=3
redis://h?db=x
redis://h?db
redis://h:0
redis://h:
redis://h:65535
redis://h:65536
redis://h:port
redis://h:-1
redis://h?port=6390
redis://h:1?port=6390
redis://?host=g&port=7
redis://h?host=g
redis://h?port=abc
REDIS://h/1
ReDiSs://h/1
rediss://h
http://h
h:6379
redis:h
redis:/h
redis:///3
//h/1
redis://:pw@h
redis://user:pw@h
redis://user@h
redis://user:@h
redis://:@h
redis://us%65r:p%40%3A%2F%25w@h
redis://a:b:c@h
redis://a@b:c@h
redis://a:p@ss@h
redis://a:%E2%82%AC@h
redis://a:\u20ac@h
redis://a:%FF@h
redis://a:%zz%4@h
redis://a:p+w@h
redis://a:p#w@h
redis://a:p/w@h
redis://a:p?w@h
redis://a:p;w!$&'()*,=~w@h
redis://h?username=u&password=p
redis://u:p@h?username=x&password=y
redis://:p@h?username=x
redis://h?password=p%2540q
redis://h?password=p%40q
redis://h?password=p+q
redis://h?password=p=q
redis://h?password=p;q
redis://HOST.Example/1
redis://My%2DHost
redis://h%2Eexample
redis://[::1]
redis://[::1]:6380/1
redis://[FE80::1%25Eth0]:6380
redis://u:p@[2001:DB8::1]:7000/2
redis://[::1
redis://::1]
redis://127.0.0.1:6380
redis://h/1#fragment
redis://h?db=1#fragment
redis://h/1?
unix:///run/redis.sock
unix:///run/redis.sock?db=1
unix://user:pw@/path?db=1
unix://:pw@/path%20with%20space
unix:/path
unix:path
unix://host/path
unix://host:port/path
unix://?path=/run/x
unix:///a?path=/b
unix://
unix:///a?db=-1
unix:///a?db=x
unix:///a/2
UNIX:///Path/Case
unix://user@/path
unix:///p?username=u&password=p
unix:///p?host=h
redis://h?path=/x
rediss://h?ssl_cert_reqs=none
rediss://h?ssl_cert_reqs=optional
rediss://h?ssl_cert_reqs=required
rediss://h?ssl_cert_reqs=NONE
rediss://h?ssl_cert_reqs=maybe
rediss://h?ssl_ca_certs=/etc/ca%20b.pem
rediss://h?ssl_certfile=/c.pem&ssl_keyfile=/k.pem
rediss://h?ssl_check_hostname=true
rediss://h?ssl_check_hostname=False
rediss://h?ssl_check_hostname=no
rediss://h?ssl_check_hostname=off
rediss://h?ssl_check_hostname=0
rediss://h?ssl_cert_reqs=none&ssl_check_hostname=yes
rediss://h?ssl_cert_reqs=none&ssl_check_hostname=n
redis://h?ssl_cert_reqs=none
unix:///p?ssl_cert_reqs=none
redis://h?socket_timeout=5&socket_connect_timeout=1.5&socket_keepalive=yes&retry_on_timeout=1&max_connections=20&health_check_interval=30&client_name=tele
redis://h?surprise=1
redis://h?DB=1
redis://h?ssl=true
redis://h?%64b=5
""".strip("\n").split("\n")


def meaning(url):
    try:
        given = parse_url(url)
        kind = given.pop("connection_class", Connection)
        given.pop("max_connections", None)
        connection = kind(**given)
        if kind is SSLConnection:
            context = ssl.create_default_context()
            context.check_hostname = bool(connection.check_hostname)
            context.verify_mode = connection.cert_reqs
    except Exception:
        return None
    if connection.db < 0 or (kind is UnixDomainSocketConnection and not connection.path):
        return None
    result = {"tls": kind is SSLConnection, "db": connection.db, "username": connection.username or None,
              "password": connection.password or None}
    if kind is UnixDomainSocketConnection:
        result["path"] = connection.path
    else:
        result.update(host=connection.host, port=connection.port)
    if kind is SSLConnection:
        result.update(verify=connection.cert_reqs != ssl.CERT_NONE, ca=connection.ca_certs, cert=connection.certfile,
                      key=connection.keyfile)
        if "ssl_check_hostname" in given:
            result["checkHostname"] = connection.check_hostname
    return result


print("[")
print(",\n".join("  " + json.dumps([url, meaning(url)]) for url in URLS))
print("]")
