// A real authorization server for the tests, told on its standard input what to do next:
// "expire" (the tokens given out so far), "revoke" (all that was allowed), "allow" (again),
// "speak" (only say so, after everything that happened before).
import { OAuth2Server } from "oauth2-mock-server";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const [user, lifetime] = process.argv.slice(2);
const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
let good = new Set();
let refreshes = new Set();

server.service.on("beforeResponse", (answer, request) => {
  const kind = request.body.grant_type;
  if (kind === "refresh_token" && !refreshes.has(request.body.refresh_token)) {
    answer.statusCode = 400;
    answer.body = { error: "invalid_grant", error_description: "Token has been revoked." };
    return;
  }
  refreshes.delete(request.body.refresh_token); // it rotates: an old one is good once
  answer.body.expires_in = Number(lifetime);
  good.add(answer.body.access_token);
  refreshes.add(answer.body.refresh_token);
  console.log(`token ${kind}`);
});
// The server's own introspection does not read the token that it is asked about.
const introspection = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const active = good.has(new URLSearchParams(body).get("token"));
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(active ? { active, username: user } : { active }));
});
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "expire" || line === "revoke") good = new Set();
  if (line === "revoke") refreshes = new Set();
  console.log(`done ${line}`);
});
process.stdin.on("end", () => process.exit(0));
await server.start(0, "127.0.0.1");
introspection.listen(0, "127.0.0.1", () =>
  console.log(`listening ${server.address().port} ${introspection.address().port}`),
);
