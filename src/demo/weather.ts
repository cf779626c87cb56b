// The weather service that the demo's server asks over HTTP, so that a trace goes further than the server.
import { listen, type Listening } from './listen.ts';

const WEATHER: Readonly<Record<string, string>> = {
  paris: 'Paris: 21 °C, sunny',
  oslo: 'Oslo: 9 °C, rain',
  lima: 'Lima: 18 °C, fog',
};

/** Starts the weather service. */
export function startWeather(): Promise<Listening> {
  return listen((request, response) => {
    const city = (request.url ?? '/').slice(1).toLowerCase();
    const answer = Object.hasOwn(WEATHER, city) ? WEATHER[city] : undefined;
    setTimeout(() => response.writeHead(answer === undefined ? 404 : 200).end(answer), 5 + Math.random() * 40);
  });
}
