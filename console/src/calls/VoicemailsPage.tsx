export default function VoicemailsPage() {
  return null;
}
