#!/usr/bin/python3
"""A small S3 client for tests: sets a bucket up and looks into it without the code under test.

usage: s3.py mb BUCKET            make a bucket
       s3.py ls BUCKET[/PREFIX]   a line "SIZE KEY" for each object
       s3.py get|head|rm BUCKET/KEY
       s3.py put BUCKET/KEY       standard input
       s3.py sizes BUCKET         bytes of all objects together
       s3.py verify BUCKET        name each object that is called by a SHA-256 which is not its own; exit 1 if there is one
Server and keys are S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.  Exit 1: no such object.
"""

import datetime
import hashlib
import hmac
import http.client
import os
import re
import sys
import urllib.parse
import xml.etree.ElementTree as tree


def sign(method, host, path, query, digest):
    """The headers of AWS signature version 4 for a request whose body has that digest."""
    now = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    region = os.environ.get("AWS_DEFAULT_REGION", "us-east-1")
    scope = f"{now[:8]}/{region}/s3/aws4_request"
    names = "host;x-amz-content-sha256;x-amz-date"
    canonical = "\n".join([method, path, query, f"host:{host}", f"x-amz-content-sha256:{digest}",
                           f"x-amz-date:{now}", "", names, digest])
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    return {"x-amz-date": now, "x-amz-content-sha256": digest,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={os.environ['AWS_ACCESS_KEY_ID']}/{scope}, "
                             f"SignedHeaders={names}, Signature={signature}"}


def request(method, path, query="", body=b""):
    """Answer (status, headers, body); anything unexpected ends the program."""
    host = urllib.parse.urlsplit(os.environ["S3_ENDPOINT"]).netloc
    path = urllib.parse.quote("/" + path, safe="/~")
    connection = http.client.HTTPConnection(host)
    target = path + ("?" + query if query else "")
    connection.request(method, target, body or None,
                       sign(method, host, path, query, hashlib.sha256(body).hexdigest()))
    response = connection.getresponse()
    data = response.read()
    if response.status == 404 and method != "PUT":
        sys.exit(1)
    if response.status >= 300:
        sys.exit(f"s3.py: {method} {target}: {response.status} {data.decode(errors='replace')}")
    return response.headers, data


def listing(bucket, prefix):
    """Yield (size, key) of every object."""
    token = ""
    while True:
        query = {"list-type": "2", "prefix": prefix}
        if token:
            query["continuation-token"] = token
        _, data = request("GET", bucket, urllib.parse.urlencode(sorted(query.items()), quote_via=urllib.parse.quote))
        page = tree.fromstring(re.sub(rb' xmlns="[^"]*"', b"", data))
        for item in page.iter("Contents"):
            yield int(item.findtext("Size")), item.findtext("Key")
        token = page.findtext("NextContinuationToken")
        if page.findtext("IsTruncated") != "true":
            return


def main(command, place):
    bucket, _, key = place.partition("/")
    if command == "mb":
        request("PUT", bucket)
    elif command == "ls":
        for size, name in listing(bucket, key):
            print(size, name)
    elif command == "sizes":
        print(sum(size for size, _ in listing(bucket, "")))
    elif command == "verify":
        named = [key for _, key in listing(bucket, key) if re.search("[0-9a-f]{64}", key)]
        wrong = [key for key in named if hashlib.sha256(request("GET", f"{bucket}/{key}")[1]).hexdigest() not in key]
        print("\n".join(wrong) or f"{len(named)} objects are what they are called")
        sys.exit(bool(wrong))
    elif command == "get":
        sys.stdout.buffer.write(request("GET", place)[1])
    elif command == "head":
        print(str(request("HEAD", place)[0]).strip())
    elif command == "put":
        request("PUT", place, body=sys.stdin.buffer.read())
    elif command == "rm":
        request("DELETE", place)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(sys.argv[1], sys.argv[2])
    except OSError as error:
        sys.exit(f"s3.py: {os.environ['S3_ENDPOINT']}: {error}")
