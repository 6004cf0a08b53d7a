"""The original's behaviour on Sanic: a file per message in <root>/<2 hex>/, nothing synced, 20 workers over one folder.

python sanic-messages.py <https url> <certificate> <key> <root>
"""

import hashlib
import json
import os
import sys
from urllib.parse import urlsplit

from sanic import Sanic
from sanic.response import file, json as answer

URL, CERT, KEY, ROOT = sys.argv[1:5]

app = Sanic("messages")
app.config.ACCESS_LOG = False


def path_of(digest):
    return os.path.join(ROOT, digest[:2], digest)


def missing():
    return answer({"err_message": "Message not found"}, status=404)


@app.post("/messages")
async def post(request):
    message = request.json["message"]
    digest = hashlib.sha256(message.encode()).hexdigest()
    path = path_of(digest)
    known = os.path.exists(path)
    if not known:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as target:
            json.dump({"message": message}, target)
    return answer({"digest": digest}, status=200 if known else 201)


@app.get("/messages/<digest>")
async def get(request, digest):
    path = path_of(digest)
    if len(digest) != 64 or not os.path.exists(path):
        return missing()
    return await file(path, mime_type="application/json")


@app.delete("/messages/<digest>")
async def delete(request, digest):
    path = path_of(digest)
    if len(digest) != 64 or not os.path.exists(path):
        return missing()
    await request.app.loop.run_in_executor(None, os.unlink, path)
    return answer({"message_deleted": digest})


if __name__ == "__main__":
    where = urlsplit(URL)
    app.run(host=where.hostname, port=where.port, workers=20, ssl={"cert": CERT, "key": KEY}, motd=False)
