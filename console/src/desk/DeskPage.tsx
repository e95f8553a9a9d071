import { Box, Stack, Title } from "@mantine/core";

import { useT } from "../i18n";
import { ErrorNote, Lines } from "../parts/States";
import { AudioCard } from "./AudioCard";
import { CallbackTable } from "./CallbackTable";
import { CallView } from "./CallView";
import { useDesk } from "./desk";
import classes from "./DeskPage.module.css";
import { OfferCard } from "./OfferCard";
import { StateCard } from "./StateCard";
import { WaitingCard } from "./WaitingCard";
import { WrapUpCard } from "./WrapUpCard";

export default function DeskPage() {
  const t = useT();
  const { view, error, retry } = useDesk();
  if (!view) return error ? <ErrorNote error={error} onRetry={retry} /> : <Lines count={8} />;
  return (
    <>
      <Title order={1} className="hidden">
        {t("nav.desk")}
      </Title>
      {view.call ? (
        <CallView key={view.call.entry} call={view.call} />
      ) : (
        <Box className={classes.columns}>
          <div className={classes.main}>
            {view.offer ? (
              <OfferCard key={view.offer.entry} offer={view.offer} />
            ) : view.wrap_up ? (
              <WrapUpCard key={view.wrap_up.entry} wrapUp={view.wrap_up} />
            ) : (
              <StateCard view={view} />
            )}
          </div>
          <Stack gap="md" className={classes.side ?? ""}>
            <AudioCard view={view} />
            <WaitingCard view={view} />
          </Stack>
          {!view.offer && !view.wrap_up && (
            <Stack gap="sm" className={classes.more ?? ""}>
              <Title order={2}>{t("callbacks.title")}</Title>
              <CallbackTable limit={5} />
            </Stack>
          )}
        </Box>
      )}
    </>
  );
}
