import { publicUrlOf } from '../../api/address';
import { testApi } from '../support/api';
import { postHubspot, referenceText } from '../support/crm-events';

test('an API that takes any free port says where it listens, and signatures are over that address', async () => {
  const api = await testApi({ firm: false, environment: { PUBLIC_URL: '', PORT: '0' } });
  await api.app.listen({ host: api.config.http.host, port: api.config.http.port });
  const url = publicUrlOf(api.config.http, api.app);
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d+$/);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { servers: { url: string }[] };
  expect(document.servers).toEqual([{ url: '/' }]);
  const send = (signedUrl: string) => postHubspot(api.anyone, referenceText('hubspot-webhook.json'), { url: signedUrl });
  expect((await send(`${url}/webhooks/hubspot`)).status).toBe(202);
  expect((await send('http://127.0.0.1:0/webhooks/hubspot')).status).toBe(401);
  await api.close();
});
