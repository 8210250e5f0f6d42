# docker build --tag innerloop .                    the program alone, from its Debian package
# docker build --target tested --tag innerloop-dev . the sources, built and tested by the README's two commands
# docker run --rm --volume "$PWD:/work" innerloop train --config navigation_2d     writes into ./runs
ARG DEBIAN=12

FROM debian:${DEBIAN} AS tested
COPY . /innerloop
WORKDIR /innerloop
RUN scripts/quickstart
RUN scripts/test

FROM debian:${DEBIAN} AS package
COPY . /innerloop
WORKDIR /innerloop
RUN scripts/package && mv build/package/innerloop_*.deb /innerloop.deb

FROM debian:${DEBIAN}-slim
COPY --from=package /innerloop.deb /tmp/
RUN apt-get update && apt-get install --yes --no-install-recommends /tmp/innerloop.deb && \
    rm -rf /tmp/innerloop.deb /var/lib/apt/lists/*
WORKDIR /work
ENTRYPOINT ["innerloop"]
CMD ["--help"]
